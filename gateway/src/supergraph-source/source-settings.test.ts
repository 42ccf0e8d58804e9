import { readSettings, SettingsError } from '@gudang/runtime/settings';
import { describe, expect, it } from 'vitest';
import { supergraphSettings } from './source-settings.ts';

const read = (environment: Record<string, string>) => readSettings(supergraphSettings, environment);

function problems(environment: Record<string, string>): readonly string[] {
  try {
    read(environment);
    return [];
  } catch (error) {
    return error instanceof SettingsError ? error.problems : [String(error)];
  }
}

describe('SUPERGRAPH', () => {
  it('is a file, one or more URLs, or graphos', () => {
    const place = (SUPERGRAPH: string) => read({ SUPERGRAPH }).SUPERGRAPH;
    expect(place('./a,b.graphql')).toEqual({ kind: 'file', path: './a,b.graphql' });
    expect(place('C:\\a.graphql')).toEqual({ kind: 'file', path: 'C:\\a.graphql' });
    expect(place('./graphos')).toEqual({ kind: 'file', path: './graphos' });
    expect(place('https://a.example/s?x=1,2')).toEqual({
      kind: 'urls',
      urls: ['https://a.example/s?x=1,2'],
    });
    expect(place('https://a.example/s , http://b.example/s')).toEqual({
      kind: 'urls',
      urls: ['https://a.example/s', 'http://b.example/s'],
    });
    const APOLLO = { APOLLO_KEY: 'service:k', APOLLO_GRAPH_REF: 'g@current' };
    expect(read({ SUPERGRAPH: 'graphos', ...APOLLO }).SUPERGRAPH).toEqual({ kind: 'graphos' });
  });

  it.each([
    ['s3://bucket/supergraph', 's3://bucket/supergraph'],
    ['ftp://hush:hush@a.example/s?hush#hush', 'ftp://a.example/s'],
    ['https://', 'no URL'],
    ['https://user%zz:hush@a.example/s', 'https://a.example/s'],
    ['https://a.example/s?hush, s3://bucket/s', 'https://a.example/s, s3://bucket/s'],
  ])('rejects %s without showing secrets', (SUPERGRAPH, shown) => {
    expect(problems({ SUPERGRAPH })).toEqual([
      expect.stringContaining(`SUPERGRAPH: "${shown}" is not allowed; a file, a URL that starts`),
    ]);
  });

  it('needs a key and a graph for graphos', () => {
    expect(problems({ SUPERGRAPH: 'graphos', APOLLO_KEY: 'service:k' })).toEqual([
      'SUPERGRAPH: graphos needs APOLLO_KEY and APOLLO_GRAPH_REF',
    ]);
  });
});

it('rejects invalid headers without showing their values', () => {
  expect(problems({ SUPERGRAPH_HEADERS: 'Bearer hush' })).toEqual([
    expect.stringMatching(
      /^SUPERGRAPH_HEADERS: the value given is not allowed; line 1 is no header/,
    ),
  ]);
});

it('rejects addresses of the uplink that are no URLs', () => {
  expect(problems({ APOLLO_UPLINK_ENDPOINTS: 'uplink.example' })).toHaveLength(1);
});
