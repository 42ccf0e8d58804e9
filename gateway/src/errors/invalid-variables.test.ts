import fc from 'fast-check';
import { buildSchema, getVariableValues, Kind, type OperationDefinitionNode, parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { coerceVariables } from './invalid-variables.ts';

const schema = buildSchema(`
  type Query { a(i: Input, l: [[Int!]!], k: Kind, o: Choice): String }
  input Input { id: ID!, name: String = "n", count: Int!, tags: [Tag!], more: Input }
  input Tag { label: String!, weight: Float, on: Boolean! = true }
  input Choice @oneOf { a: Int, b: String }
  enum Kind { RED BLUE }
`);

function operationOf(definitions: string): OperationDefinitionNode {
  const [operation] = parse(`query (${definitions}) { __typename }`).definitions;
  if (operation?.kind !== Kind.OPERATION_DEFINITION) throw new Error('no operation');
  return operation;
}

const NAMES = ['id', 'name', 'count', 'tags', 'more', 'label', 'weight', 'on', 'a', 'b', 'x'];
const leaf = fc.oneof(
  fc.constantFrom(null, true, false, 0, 1, -1.5, 2 ** 31, '', 'text', 'RED', '7', Number.NaN),
);
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    leaf,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...NAMES, '__proto__', 'constructor'), tie('value'), {
      maxKeys: 5,
      noNullPrototype: true,
    }),
  ),
}));

describe('coerceVariables', () => {
  const types = ['Input', 'Input!', '[Input]', '[[Int!]!]', 'Kind', 'Choice', 'ID', '[Tag!]! = []'];

  it.each(types)(
    'accepts the same values of type %s as graphql-js, with the same result',
    (type) => {
      const operation = operationOf(`$v: ${type}`);
      const property = fc.property(fc.option(value, { nil: undefined }), (v) => {
        const given = v === undefined ? {} : { v };
        const own = coerceVariables(schema, operation, given);
        const theirs = getVariableValues(schema, operation.variableDefinitions ?? [], given, {
          maxErrors: 1_000,
        });
        expect(own.errors?.length).toBe(
          theirs.errors ? Math.min(theirs.errors.length, 10) : undefined,
        );
        if (theirs.coerced) expect({ ...own.coerced }).toEqual({ ...theirs.coerced });
      });
      fc.assert(property, { numRuns: 500, seed: 1 });
    },
  );

  it('reports the first 10 errors, in short messages', () => {
    const long = 'x'.repeat(100_000);
    const unknown = Object.fromEntries(Array.from({ length: 1_000 }, (_, n) => [`f${n}`, n]));
    const i = { [long]: 1, count: long, id: unknown, ...unknown };
    const { errors = [] } = coerceVariables(schema, operationOf('$i: Input, $k: Kind!'), { i });
    expect(errors).toHaveLength(10);
    for (const { message } of errors) expect(message.length).toBeLessThan(1_500);
  });

  it('quotes the value and its path', () => {
    const given = { i: { id: 1, count: 'many', tags: [{ label: 'l', weight: [] }] } };
    const { errors } = coerceVariables(schema, operationOf('$i: Input, $n: Int!'), given);
    expect(errors?.map(({ message }) => message)).toEqual([
      'Variable "$i" got invalid value "many" at "i.count"; Int cannot represent non-integer value: "many"',
      'Variable "$i" got invalid value [] at "i.tags[0].weight"; Float cannot represent non numeric value: []',
      'Variable "$n" of required type "Int!" was not provided.',
    ]);
  });

  it('keeps a variable that is named like a property of objects', () => {
    const operation = operationOf('$__proto__: Int, $constructor: Int');
    const given = JSON.parse('{"__proto__": 1, "constructor": 2}');
    const { coerced = {} } = coerceVariables(schema, operation, given);
    expect(Object.entries(coerced)).toEqual([
      ['__proto__', 1],
      ['constructor', 2],
    ]);
  });
});
