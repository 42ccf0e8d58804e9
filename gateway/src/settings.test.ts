import { StartError } from '@gudang/runtime';
import { readSettings, SettingsError } from '@gudang/runtime/settings';
import { describe, expect, it } from 'vitest';
import { gatewaySettings } from './settings.ts';
import { subgraphAddresses } from './subgraphs/subgraph-addresses.ts';

const SUBGRAPHS = [
  { name: 'Alpha', url: 'http://a/graphql' },
  { name: 'beta', url: 'https://b/graphql' },
];

function addresses(environment: Record<string, string>) {
  const settings = readSettings(gatewaySettings, environment);
  return subgraphAddresses(
    SUBGRAPHS,
    settings.SUBGRAPH_URLS,
    settings.SUBGRAPH_WS_URLS,
    settings.FOREIGN_SUBGRAPHS,
    { given: settings.SUBGRAPH_LIMITS, timeoutMs: settings.SUBGRAPH_TIMEOUT_MS },
  );
}

const LIMITS = expect.objectContaining({ timeoutMs: 10_000 });

describe('subgraphAddresses', () => {
  it('returns the addresses in the supergraph, and derives the websocket addresses', () => {
    expect(addresses({})).toEqual([
      {
        name: 'Alpha',
        url: 'http://a/graphql',
        wsUrl: 'ws://a/graphql',
        foreign: false,
        limits: LIMITS,
      },
      {
        name: 'beta',
        url: 'https://b/graphql',
        wsUrl: 'wss://b/graphql',
        foreign: false,
        limits: LIMITS,
      },
    ]);
  });

  it('prefers the addresses in the settings, in which subgraph names are case-insensitive', () => {
    expect(
      addresses({
        SUBGRAPH_URLS: 'alpha=http://x:1/g?k=v, BETA=http://y/g',
        SUBGRAPH_WS_URLS: 'beta=ws://z/ws',
        FOREIGN_SUBGRAPHS: 'Beta',
      }),
    ).toEqual([
      {
        name: 'Alpha',
        url: 'http://x:1/g?k=v',
        wsUrl: 'ws://x:1/g?k=v',
        foreign: false,
        limits: LIMITS,
      },
      { name: 'beta', url: 'http://y/g', wsUrl: 'ws://z/ws', foreign: true, limits: LIMITS },
    ]);
  });

  it('gives each subgraph its limits', () => {
    const limited = addresses({
      SUBGRAPH_LIMITS: 'ALPHA:timeoutMs=50',
      SUBGRAPH_TIMEOUT_MS: '900',
    });
    expect(limited).toMatchObject([{ limits: { timeoutMs: 50 } }, { limits: { timeoutMs: 900 } }]);
  });

  it('rejects an unknown subgraph name with an error that lists the subgraphs', () => {
    expect(() => addresses({ SUBGRAPH_URLS: 'gamma=http://x' })).toThrow(StartError);
    expect(() => addresses({ SUBGRAPH_URLS: 'gamma=http://x' })).toThrow('it has Alpha, beta');
    expect(() => addresses({ FOREIGN_SUBGRAPHS: 'gamma' })).toThrow('it has Alpha, beta');
    expect(() => addresses({ SUBGRAPH_LIMITS: 'gamma:queue=1' })).toThrow('it has Alpha, beta');
  });

  it('rejects a subgraph without an address with an error that names the setting', () => {
    const nowhere = [{ name: 'alpha', url: '' }];
    expect(() => subgraphAddresses(nowhere)).toThrow('set SUBGRAPH_URLS=alpha=http://');
  });

  it.each(['alpha', 'alpha=', 'alpha=nowhere', 'alpha=ftp://x', '=http://x', 'a=http://x,,'])(
    'rejects SUBGRAPH_URLS=%s',
    (value) => {
      expect(() => addresses({ SUBGRAPH_URLS: value })).toThrow(SettingsError);
    },
  );
});
