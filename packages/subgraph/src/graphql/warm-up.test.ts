import { buildSubgraphSchema } from '@apollo/subgraph';
import { execute, parse, validate } from 'graphql';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { WARM_UP, warmUp } from './warm-up.ts';

afterEach(() => vi.restoreAllMocks());

describe('the operation of a warm-up', () => {
  it('is valid in a subgraph with entities, and reads none', async () => {
    const readItem = vi.fn();
    const typeDefs = parse('type Query { items: [Item] } type Item @key(fields: "id") { id: ID! }');
    const resolvers = { Query: { items: readItem }, Item: { __resolveReference: readItem } };
    const schema = buildSubgraphSchema([{ typeDefs, resolvers }]);
    const document = parse(WARM_UP);
    expect(validate(schema, document)).toEqual([]);
    const variableValues = { representations: [] };
    const { errors, data } = await execute({ schema, document, variableValues });
    expect(errors).toBeUndefined();
    expect({ ...data }).toEqual({ __typename: 'Query', _entities: [] });
    expect(readItem).not.toHaveBeenCalled();
  });
});

describe('warmUp', () => {
  it('runs each operation with another number', async () => {
    const turns: number[] = [];
    vi.spyOn(performance, 'now').mockReturnValue(0);
    await warmUp(async (turn) => void turns.push(turn));
    expect(turns.length).toBeGreaterThan(30);
    expect(new Set(turns).size).toBe(turns.length);
  });

  it('does not delay the start by more than 0.3 s', async () => {
    let now = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => now);
    const run = vi.fn(async () => {
      now += 100;
    });
    await warmUp(run);
    expect(run).toHaveBeenCalledTimes(3);
  });
});
