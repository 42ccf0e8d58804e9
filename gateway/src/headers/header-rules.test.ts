import { IDENTITY_HEADER, SECRET_HEADER } from '@gudang/auth';
import { createLogger } from '@gudang/runtime';
import { describe, expect, it } from 'vitest';
import { createGatewayHeaders } from './gateway-headers.ts';
import { parseHeaderRules } from './header-rules.ts';

const LOG = createLogger('gateway', 'silent');
const problemsOf = (file: unknown) => parseHeaderRules(file).problems;
const forwards = (...toSubgraphs: object[]) => problemsOf({ toSubgraphs });
const returns = (...toClients: object[]) => problemsOf({ toClients });

describe('parseHeaderRules', () => {
  it('reads forwarded, renamed, inserted and returned headers, in lower case', () => {
    const file = {
      toSubgraphs: [
        { forward: 'X-Tenant' },
        { forward: 'Host', as: 'X-Host', default: 'none', connectionParams: false },
        { insert: 'X-Source', value: 'gateway', subgraphs: ['Stock'] },
      ],
      toClients: [
        { return: 'Set-Cookie', subgraphs: ['stock', 'order'] },
        { return: 'ETag', as: 'X-Tag', merge: 'last' },
        { insert: 'X-Served-By', value: 'gudang' },
      ],
    };
    const forward = { kind: 'forward', readsParams: true, subgraphs: undefined } as const;
    expect(parseHeaderRules(file)).toEqual({
      problems: [],
      rules: {
        toSubgraphs: [
          { ...forward, name: 'x-tenant', as: 'x-tenant', fallback: undefined },
          { ...forward, name: 'host', as: 'x-host', fallback: 'none', readsParams: false },
          { kind: 'insert', as: 'x-source', value: 'gateway', subgraphs: ['stock'] },
        ],
        toClients: [
          { name: 'set-cookie', as: 'set-cookie', merge: 'append', subgraphs: ['stock', 'order'] },
          { name: 'etag', as: 'x-tag', merge: 'last', subgraphs: undefined },
        ],
        inserted: [['x-served-by', 'gudang']],
      },
    });
  });

  it('accepts authorization and cookie if a rule names them', () => {
    expect(forwards({ forward: 'Authorization' }, { forward: 'cookie' })).toEqual([]);
    expect(forwards({ insert: 'authorization', value: 'Bearer x' })).toEqual([]);
  });

  const hopByHop = ['Connection', 'Transfer-Encoding', 'Upgrade', 'TE', 'Proxy-Authorization'];
  const identity = [IDENTITY_HEADER.toUpperCase(), SECRET_HEADER];
  const framing = ['Host', 'Content-Length', 'content-type', 'ACCEPT', 'Sec-WebSocket-Protocol'];
  const stored = ['Cache-Control', 'ETag', 'Vary', 'Access-Control-Allow-Origin'];

  it.each([...hopByHop, ...identity, ...framing, 'traceparent'])(
    'never lets a rule set %s for a subgraph',
    (name) => {
      for (const rule of [
        { forward: name },
        { forward: 'x-a', as: name },
        { insert: name, value: 'x' },
      ]) {
        expect(forwards(rule)).toEqual([
          expect.stringContaining(`must not be ${name.toLowerCase()}: `),
        ]);
      }
    },
  );

  it.each([...hopByHop, ...identity, ...framing, ...stored])(
    'never lets a rule set %s for a client',
    (name) => {
      for (const rule of [
        { return: name },
        { return: 'x-a', as: name },
        { insert: name, value: 'x' },
      ]) {
        expect(returns(rule)).toEqual([
          expect.stringContaining(`must not be ${name.toLowerCase()}: `),
        ]);
      }
    },
  );

  it.each([...hopByHop, ...identity])('never lets a rule read %s', (name) => {
    expect(forwards({ forward: name, as: 'x-a' })).toHaveLength(1);
    expect(returns({ return: name, as: 'x-a' })).toHaveLength(1);
  });

  const malformed: [string, unknown, string][] = [
    ['no object', [], 'the file: must be a JSON object'],
    ['null', null, 'the file: must be a JSON object'],
    ['another member', { request: [] }, 'the file: request is unknown here; allowed are'],
    ['no list', { toSubgraphs: {} }, 'the file: toSubgraphs must be a list of at most 100 rules'],
    ['a rule without a verb', { toSubgraphs: [{}] }, 'toSubgraphs[0]: forward must be the name'],
    ['a number as name', { toClients: [{ return: 7 }] }, 'toClients[0]: return must be the name'],
    ['a name with a space', { toClients: [{ return: 'x y' }] }, 'return must be the name'],
    ['a name with a line break', { toSubgraphs: [{ forward: 'x\n' }] }, 'forward must be the name'],
    ['a value with a line break', { toSubgraphs: [{ insert: 'x', value: 'a\r\nb: c' }] }, 'value'],
    ['no value', { toSubgraphs: [{ insert: 'x' }] }, 'value must be a string of at most 4,096'],
    ['an unknown merge', { toClients: [{ return: 'x', merge: 'all' }] }, 'one of append, first'],
    ['an empty list of subgraphs', { toClients: [{ return: 'x', subgraphs: [] }] }, 'subgraphs'],
    ['a misspelled member', { toSubgraphs: [{ forward: 'x', subgraph: ['a'] }] }, 'unknown here'],
    ['two verbs', { toSubgraphs: [{ insert: 'x', value: 'y', forward: 'z' }] }, 'forward is'],
  ];
  it.each(malformed)('rejects %s', (_what, file, problem) => {
    expect(problemsOf(file)).toEqual([expect.stringContaining(problem)]);
  });

  it('may name only subgraphs of the supergraph, in any case', () => {
    const file = { toClients: [{ return: 'x-a', subgraphs: ['Stock', 'order'] }] };
    const { assertKnown } = createGatewayHeaders(LOG, parseHeaderRules(file).rules);
    expect(() => assertKnown([{ name: 'stock' }, { name: 'ORDER' }])).not.toThrow();
    expect(() => assertKnown([{ name: 'stock' }])).toThrow(
      'HEADER_RULES names the subgraph order, which the supergraph does not have; it has stock',
    );
  });

  it('reports all problems together, and never an inserted value', () => {
    const problems = forwards(
      { insert: 'authorization', value: 'secret\n' },
      { forward: 'host' },
      { forward: '' },
    );
    expect(problems).toHaveLength(3);
    expect(problems.join()).not.toContain('secret');
  });
});
