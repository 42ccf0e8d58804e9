import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RequestError } from '../errors/request-error.ts';
import { ENTITIES, withoutRepeats } from './repeated-entities.ts';
import type { SubgraphAnswer } from './subgraph-answer.ts';

const admit = () => undefined;
const stock = (id: unknown) => ({ __typename: 'Stock', id });
const distinctOf = (...representations: unknown[]) =>
  withoutRepeats({ representations }, ENTITIES)?.variables['representations'];

describe('withoutRepeats', () => {
  it('changes nothing without a repeated representation', () => {
    expect(distinctOf()).toBeUndefined();
    expect(distinctOf(stock('a'))).toBeUndefined();
    expect(distinctOf(stock('a'), stock('b'))).toBeUndefined();
  });

  it('keeps the order of the first occurrences, and other variables', () => {
    const representations = [stock('b'), stock('a'), stock('b'), stock('c'), stock('a')];
    const variables = { first: 3, representations };
    expect(withoutRepeats(variables, ENTITIES)?.variables).toEqual({
      first: 3,
      representations: [stock('b'), stock('a'), stock('c')],
    });
    expect(variables.representations).toHaveLength(5);
  });

  it('leaves a variable alone that is no list of representations', () => {
    expect(withoutRepeats({ representations: ['x', 'x'] }, [])).toBeUndefined();
    expect(withoutRepeats({ representations: 'xx' }, ENTITIES)).toBeUndefined();
  });

  it.each([
    ['types', [stock('1'), { __typename: 'Order', id: '1' }]],
    ['a number and text', [stock(1), stock('1')]],
    ['null and text', [stock(null), stock('null')]],
    ['names of keys', [stock('1'), { __typename: 'Stock', sku: '1' }]],
    ['a required field', [stock('1'), { ...stock('1'), price: 2 }]],
    [
      'required fields',
      [
        { ...stock('1'), price: 3 },
        { ...stock('1'), price: 2 },
      ],
    ],
    ['nested keys', [stock({ of: 'a', n: [1] }), stock({ of: 'a', n: [2] })]],
    ['a nested key and its JSON', [stock({ of: 'a' }), stock('{"of":"a"}')]],
  ])('tells representations apart by %s', (_what, two) => {
    expect(distinctOf(...two)).toBeUndefined();
    expect(distinctOf(...two, ...structuredClone(two))).toEqual(two);
  });

  it('gives every object the entity and errors of its own representation', () => {
    const value = fc.oneof(
      fc.constantFrom('1', 1, '', null, '{"of":1}'),
      fc.record({ of: fc.constantFrom(1, '1', null), list: fc.array(fc.constantFrom(0, -0, 'x')) }),
    );
    const representation = fc.record(
      { __typename: fc.constantFrom('A', 'B'), id: value, sku: value },
      { requiredKeys: ['__typename'] },
    );
    fc.assert(
      fc.property(fc.array(representation, { maxLength: 12 }), (representations) => {
        const distinct = withoutRepeats({ representations }, ENTITIES);
        const sent = (distinct?.variables['representations'] ?? representations) as unknown[];
        expect(new Set(sent.map((one) => JSON.stringify(one))).size).toBe(sent.length);
        const answer = resolve(sent);
        expect(distinct?.repeat(answer, admit) ?? answer).toEqual(resolve(representations));
      }),
      { seed: 21, numRuns: 1_000 },
    );
  });

  it('copies repeated entities', () => {
    const answer = { data: { _entities: [{ parts: [{ n: 1 }], __proto__own: {} }] } };
    const distinct = withoutRepeats({ representations: [stock('1'), stock('1')] }, ENTITIES);
    const [one, other] = entitiesOf(distinct?.repeat(answer, admit));
    expect(other).toEqual(one);
    expect(other).not.toBe(one);
    expect((other as { parts: unknown[] }).parts[0]).not.toBe(
      (one as { parts: unknown[] }).parts[0],
    );
  });

  it('copies members with the names of inherited ones', () => {
    const answer = JSON.parse('{"data":{"_entities":[{"__proto__":{"a":[1]},"constructor":2}]}}');
    const distinct = withoutRepeats({ representations: [stock('1'), stock('1')] }, ENTITIES);
    expect(JSON.stringify(entitiesOf(distinct?.repeat(answer, admit))[1])).toBe(
      '{"__proto__":{"a":[1]},"constructor":2}',
    );
  });

  const twice = { representations: [stock('1'), stock('1'), stock('2')] };

  it.each([
    ['more', [{}, {}, {}]],
    ['fewer', [{}]],
  ])('refuses an answer with %s entities than were requested', (_what, _entities) => {
    const answer = withoutRepeats(twice, ENTITIES)?.repeat({ data: { _entities } }, admit);
    expect(answer?.data).toEqual({ _entities: [] });
  });

  it.each([
    ['no data', { errors: [{ message: 'it failed' }] }],
    ['data that is null', { data: null, errors: [{ message: 'it failed', path: ['_entities'] }] }],
    ['entities that are null', { data: { _entities: null } }],
  ])('keeps an answer with %s', (_what, answer) => {
    expect(withoutRepeats(twice, ENTITIES)?.repeat(answer, admit)).toEqual(answer);
  });

  it('reports an error without an entity once, and never at another entity', () => {
    const data = { _entities: [null, null] };
    const errors = [
      { message: 'no path' },
      { message: 'outside', path: ['_entities', 2] },
      { message: 'second', path: ['_entities', 1] },
      { message: 'first', path: ['_entities', 0, 'name'] },
    ];
    const answer = withoutRepeats(twice, ENTITIES)?.repeat({ data, errors }, admit);
    expect(answer?.errors?.map(({ message, path }) => [message, path])).toEqual([
      ['no path', undefined],
      ['outside', ['_entities', -1]],
      ['first', ['_entities', 0, 'name']],
      ['first', ['_entities', 1, 'name']],
      ['second', ['_entities', 2]],
    ]);
  });

  it('counts the bytes of all copies, and makes none if they are refused', () => {
    const text = 'x'.repeat(1_000);
    const representations = Array.from({ length: 100 }, (_, index) => stock(index % 2));
    const refusal = new RequestError(503, 'no memory', { code: 'OVERLOADED' });
    let counted = 0;
    const answer = withoutRepeats({ representations }, ENTITIES)?.repeat(
      {
        data: { _entities: [{ list: [text] }, null] },
        errors: [{ message: text, path: ['_entities', 1] }],
      },
      (bytes) => {
        counted += bytes;
        return refusal;
      },
    );
    expect(answer).toEqual({ errors: [refusal.toJSON()] });
    expect(counted).toBeGreaterThan(98_000);
    expect(counted).toBeLessThan(110_000);
  });
});

function entitiesOf(answer: SubgraphAnswer | undefined): readonly unknown[] {
  return answer?.data?.['_entities'] as unknown[];
}

/** Resolves representations as a subgraph does: each answer depends on the representation alone. */
function resolve(representations: readonly unknown[]): SubgraphAnswer {
  const texts = representations.map((one) => JSON.stringify(one));
  const errors = texts.flatMap((text, index) => {
    if (text.length % 3 === 0) return [{ message: text, path: ['_entities', index, 'name'] }];
    return [];
  });
  const _entities = texts.map((text) => (text.length % 5 === 0 ? null : { of: [{ text }] }));
  return { data: { _entities }, ...(errors.length > 0 ? { errors } : {}) };
}
