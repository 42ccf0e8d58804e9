import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createHeaderForwarding } from './forwarded-headers.ts';
import { parseHeaderRules } from './header-rules.ts';

function forwardingOf(...toSubgraphs: object[]) {
  const { problems, rules } = parseHeaderRules({ toSubgraphs });
  expect(problems).toEqual([]);
  const forwarding = createHeaderForwarding(rules);
  if (!forwarding) throw new Error('no rule');
  return forwarding;
}

describe('forwarded headers', () => {
  it('are none without rules', () => {
    expect(createHeaderForwarding({ toSubgraphs: [] })).toBeUndefined();
  });

  it('are only those that rules name, for the subgraphs that rules name', () => {
    const { of } = bound(
      { forward: 'x-tenant' },
      { forward: 'x-lang', as: 'x-language', default: 'en' },
      { forward: 'authorization', subgraphs: ['Pay'] },
      { insert: 'x-source', value: 'gateway', subgraphs: ['pay'] },
    );
    const sent = of({ 'x-tenant': 'a', authorization: 'Bearer t', cookie: 'c', 'x-other': 'o' });
    expect(sent.to('stock')).toEqual({ 'x-tenant': 'a', 'x-language': 'en' });
    expect(sent.to('PAY')).toEqual({
      'x-tenant': 'a',
      'x-language': 'en',
      authorization: 'Bearer t',
      'x-source': 'gateway',
    });
  });

  it('are replaced by a later rule, unless it has no value', () => {
    const { of } = bound(
      { insert: 'x-a', value: 'inserted' },
      { forward: 'x-a' },
      { forward: 'x-b', as: 'x-a' },
    );
    expect(of({}).to('s')).toEqual({ 'x-a': 'inserted' });
    expect(of({ 'x-a': 'a' }).to('s')).toEqual({ 'x-a': 'a' });
    expect(of({ 'x-a': 'a', 'x-b': 'b' }).to('s')).toEqual({ 'x-a': 'b' });
  });

  it('are read from connection_init in any case, unless the header exists or the rule forbids it', () => {
    const { of } = bound(
      { forward: 'x-tenant' },
      { forward: 'x-edge', connectionParams: false },
      { forward: 'authorization' },
    );
    const params = { 'X-Tenant': 7, 'x-tenant': 'later', 'X-Edge': 'forged', Authorization: 'new' };
    expect(of({}, params).to('s')).toEqual({ 'x-tenant': '7', authorization: 'new' });
    expect(of({ 'x-tenant': 'edge', authorization: 'old' }, params).to('s')).toEqual({
      'x-tenant': 'edge',
      // As for the caller's identity, the token of connection_init counts.
      authorization: 'new',
    });
    for (const absent of [undefined, null, [], 'x', { 'x-tenant': null }]) {
      expect(of({}, absent).key).toBe('');
    }
  });

  it.each([[{}], [['a']], ['a\r\nb: c'], [' a'], ['é'], ['\u0000']])(
    'are refused in connection_init: %j',
    (value) => {
      const { of } = bound({ forward: 'x-tenant' });
      expect(() => of({}, { 'x-tenant': value })).toThrow(
        /^x-tenant in connection_init is forwarded/,
      );
      expect(of({}, { 'x-other': value }).key).toBe('');
    },
  );

  it('are refused above 8 KiB', () => {
    const { of } = bound({ forward: 'x-a' }, { forward: 'x-b' });
    const half = 4 * 1024 - 'x-a'.length;
    expect(of({ 'x-a': 'a'.repeat(half), 'x-b': 'b'.repeat(half) }).to('s')).toBeDefined();
    const larger = { 'x-a': 'a'.repeat(half), 'x-b': 'b'.repeat(half + 1) };
    expect(() => of(larger)).toThrow('is 8,193, above the limit of 8,192');
    expect(() => of({}, larger)).toThrow('is 8,193, above the limit of 8,192');
  });

  const NAMES = ['x-a', 'x-b', '__proto__', 'constructor'] as const;
  const value = fc.option(fc.constantFrom('', '1', 'null', '["1"]', 'a,b'), { nil: undefined });
  const headers = fc.record(Object.fromEntries(NAMES.map((name) => [name, value])));
  const rule = fc.record(
    {
      forward: fc.constantFrom(...NAMES),
      as: fc.constantFrom(...NAMES),
      default: fc.constantFrom('', '1'),
      subgraphs: fc.constantFrom(['one'], ['two'], ['one', 'two']),
    },
    { requiredKeys: ['forward'] },
  );
  it('have the same key only if every subgraph receives the same headers', () => {
    const property = fc.property(
      fc.array(rule, { minLength: 1, maxLength: 5 }),
      headers,
      headers,
      (rules, one, other) => {
        const { of } = bound(...rules);
        const [first, second] = [of(one as never), of(other as never)];
        if (first.key !== second.key) return;
        for (const name of ['one', 'two', 'three']) {
          expect(first.to(name)).toEqual(second.to(name));
        }
      },
    );
    fc.assert(property, { seed: 20, numRuns: 500 });
  });
});

function bound(...rules: object[]) {
  const forwarding = forwardingOf(...rules);
  return { of: forwarding.of.bind(forwarding) };
}
