import fc from 'fast-check';
import {
  buildSchema,
  type ExecutionResult,
  execute,
  GraphQLError,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isCompositeType,
  isListType,
  isObjectType,
  parse,
  validate,
} from 'graphql';
import { describe, expect, it } from 'vitest';
import { compileOperation } from './compiled-operation.ts';

const RUNS = Number(process.env['COMPARED_OPERATIONS'] ?? 400);
const TIMEOUT_MS = 30_000 + 100 * RUNS;

const sdl = `
  interface Named { name: String other: Named }
  union Any = A | B
  enum Color { RED GREEN }
  input Filter { min: Int! = 1, tags: [String!], inner: Filter }
  type A implements Named {
    name: String other: Named id: ID! n: Int! color: Color a: A b: B! bs: [B!]! as: [A] grid: [[Int!]]
    any: Any anys: [Any!] arg(x: Int = 3, s: String, l: [Int!], f: Filter): String must(x: Int!): Int
  }
  type B implements Named { name: String other: Named flag: Boolean! a: A! any: Any! when: Float }
  type Query { a: A b: B! any: Any named: Named as: [A!]! arg(f: Filter, c: Color = RED): String! }
  type Mutation { a: A must(x: Int!): Int! b: B! arg(x: Int): String }
  type Subscription { a: A }`;

/** A pseudo-random number from 0 to 1 for a text, so that a value depends on its path only. */
function chance(text: string): number {
  let hash = 2_166_136_261;
  for (let at = 0; at < text.length; at += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 16_777_619);
  }
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return ((hash ^ (hash >>> 12)) >>> 0) / 2 ** 32;
}

const LEAVES: Readonly<Record<string, readonly unknown[]>> = {
  Int: [1, -7, 2_147_483_647, true, 'text', 1.5, Number.NaN],
  Float: [0.5, 3, Number.POSITIVE_INFINITY],
  String: ['kopi', '', 7, true, { toString: null }],
  Boolean: [true, false, 1, 'no'],
  ID: ['1', 7, 'a-b', 1.5],
  Color: ['RED', 'GREEN', 'BLUE'],
};

/** Returns a promise that settles after a number of ticks, which depends on the key. */
function later(key: string, make: () => unknown): Promise<unknown> {
  const settle = async (): Promise<unknown> => {
    for (let left = Math.floor(chance(`ticks ${key}`) * 20); left > 0; left -= 1) await undefined;
    return make();
  };
  const promise = settle();
  // The execution may have ended before it reads this value.
  promise.catch(() => {});
  return promise;
}

function fail(message: string): never {
  throw new Error(message);
}

/** Values of a type, which are sometimes null, errors, promises, functions or of another type. */
function createValues(schema: GraphQLSchema, seed: number, log: string[]) {
  const makeValue = (type: GraphQLOutputType, key: string): unknown => {
    const luck = chance(`${seed} ${key}`);
    if (luck < 0.03) return null;
    if (luck < 0.035) return undefined;
    if (luck < 0.05) return new Error(`an error instead of ${key}`);
    if (luck < 0.15) return later(key, () => makePlain(type, key));
    if (luck < 0.18) return later(key, () => fail(`rejected ${key}`));
    return makePlain(type, key);
  };
  const makePlain = (given: GraphQLOutputType, key: string): unknown => {
    const type = getNullableType(given);
    const luck = chance(`${seed} value ${key}`);
    if (isListType(type)) {
      if (luck < 0.03) return 7;
      const items = Array.from({ length: Math.floor(luck * 4) }, (_, index) =>
        makeValue(type.ofType, `${key}.${index}`),
      );
      return luck > 0.9 ? new Set(items) : items;
    }
    if (!isCompositeType(type)) {
      const leaves = LEAVES[type.name] ?? [];
      // The first values are valid.
      return leaves[Math.floor(luck ** 4 * leaves.length)];
    }
    const possible = isObjectType(type) ? [type] : schema.getPossibleTypes(type);
    return makeObject(possible[Math.floor(luck * possible.length)] as GraphQLObjectType, key);
  };
  const makeObject = (type: GraphQLObjectType, key: string): object => {
    const object = { __typename: type.name };
    for (const { name, type: fieldType } of Object.values(type.getFields())) {
      const path = `${key}/${name}`;
      const isMethod = chance(`${seed} method ${path}`) < 0.2;
      const property = isMethod
        ? (args: object, context: unknown, info: GraphQLResolveInfo) => {
            log.push(`${path} ${JSON.stringify(args)} ${context} ${info.fieldName}`);
            if (chance(`${seed} throws ${path}`) < 0.1) throw new Error(`thrown at ${path}`);
            return makeValue(fieldType, path);
          }
        : undefined;
      Object.defineProperty(object, name, {
        get: () => property ?? makeValue(fieldType, path),
      });
    }
    return object;
  };
  return { makeValue, makeObject };
}

/** Adds resolvers to some fields. They record their calls. */
function addResolvers(schema: GraphQLSchema, seed: number, log: string[]): void {
  const { makeValue } = createValues(schema, seed, log);
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || type.name.startsWith('__')) continue;
    for (const field of Object.values(type.getFields())) {
      delete field.resolve;
      const isRoot = ['Query', 'Mutation', 'Subscription'].includes(type.name);
      if (!isRoot && chance(`${seed} resolver ${type.name}.${field.name}`) > 0.3) continue;
      field.resolve = (_source, args, context, info) => {
        const keys: unknown[] = [];
        for (let at: typeof info.path | undefined = info.path; at; at = at.prev) keys.push(at.key);
        const path = keys.reverse().join('/');
        const { fieldName, parentType, returnType, variableValues } = info;
        log.push(
          `${path} ${JSON.stringify(args)} ${context} ${parentType}.${fieldName}: ${returnType} ${JSON.stringify(variableValues)} ${info.fieldNodes.length}`,
        );
        if (chance(`${seed} resolver throws ${path}`) < 0.05) {
          throw new GraphQLError(`thrown at ${path}`, { extensions: { code: 'CODE' } });
        }
        return makeValue(field.type, path);
      };
    }
  }
}

const CONDITIONS = [
  '',
  '',
  '',
  ' @include(if: $p)',
  ' @skip(if: $q)',
  ' @include(if: $r) @skip(if: $p)',
];
const ARGUMENTS: Readonly<Record<string, readonly string[]>> = {
  arg: [
    '',
    '(x: 7)',
    '(x: $x)',
    '(s: $s)',
    '(l: [1, 2])',
    '(l: $x)',
    '(f: {tags: "a"})',
    '(f: $f)',
    '(x: null)',
    '(f: {min: 2, inner: {tags: [$s]}})',
  ],
  must: ['(x: 1)', '(x: $x)', '(x: $y)'],
};

/** Generates the text of a selection of a type. */
function selectionOf(
  schema: GraphQLSchema,
  type: ReturnType<typeof getNamedType>,
  depth: number,
  pick: (max: number) => number,
): string {
  if (!isCompositeType(type)) return '';
  const parts: string[] = ['__typename'];
  const fields = 'getFields' in type ? Object.values(type.getFields()) : [];
  const count = fields.length === 0 ? 0 : 1 + pick(4);
  for (let left = count; left > 0; left -= 1) {
    const field = fields[pick(fields.length)];
    if (!field) continue;
    const below = getNamedType(field.type);
    if (isCompositeType(below) && depth <= 0) continue;
    const options = ARGUMENTS[field.name] ?? [''];
    const argument = field.args.length === 0 ? '' : options[pick(options.length)];
    const known = new Set(field.args.map(({ name }) => name));
    const isKnown = [...(argument ?? '').matchAll(/^\((\w+):/g)].every(([, name = '']) =>
      known.has(name),
    );
    const given = isKnown ? argument : '';
    const alias = given || pick(3) === 0 ? `x${pick(1_000)}: ` : '';
    const sub = isCompositeType(below) ? ` { ${selectionOf(schema, below, depth - 1, pick)} }` : '';
    parts.push(`${alias}${field.name}${given}${CONDITIONS[pick(CONDITIONS.length)]}${sub}`);
  }
  const inline = ['A', 'B', 'Named'][pick(3)] as string;
  if (depth > 0 && pick(2) === 0 && type.name !== 'Query' && type.name !== 'Mutation') {
    const target = schema.getType(inline);
    const body = selectionOf(schema, target as GraphQLObjectType, depth - 1, pick);
    parts.push(`... on ${inline}${CONDITIONS[pick(CONDITIONS.length)]} { ${body} }`);
  }
  if (type.name === 'A' && pick(3) === 0)
    parts.push(`...OfA${CONDITIONS[pick(CONDITIONS.length)]}`);
  return parts.join(' ');
}

const VARIABLES =
  '($p: Boolean! = true, $q: Boolean = false, $r: Boolean!, $x: Int, $y: Int! = 2, $s: String! = "s", $f: Filter)';

/** Mostly valid, so that most operations are executed. */
const variables = fc.record(
  {
    p: mostly([true, false], [null, 'yes']),
    q: mostly([true, false, null], ['no']),
    r: mostly([true, true, false], [undefined]),
    x: mostly([1, 2, null], ['one']),
    y: mostly([1, 2], [null]),
    s: mostly(['text', ''], [7]),
    f: mostly([{}, { min: 5, tags: ['a', 'b'] }, null], [{ min: null }, { none: 1 }]),
  },
  { requiredKeys: ['r'] },
);

function mostly(valid: readonly unknown[], invalid: readonly unknown[]) {
  return fc.oneof(
    { weight: 40, arbitrary: fc.constantFrom(...valid) },
    { weight: 1, arbitrary: fc.constantFrom(...invalid) },
  );
}

/** An answer as clients see it, and the calls of the resolvers. */
function shown({ data, errors }: ExecutionResult, log: readonly string[]) {
  const found = errors?.map((error) => ({ ...error.toJSON(), code: error.extensions['code'] }));
  return { data: JSON.stringify(data), errors: found, log };
}

function operationOf(
  schema: GraphQLSchema,
  seed: number,
  kind: 'query' | 'mutation' | 'subscription',
): string {
  let calls = 0;
  const pick = (max: number): number => {
    calls += 1;
    return Math.floor(chance(`${seed} pick ${calls}`) * max);
  };
  const root = { query: 'Query', mutation: 'Mutation', subscription: 'Subscription' }[kind];
  const body =
    kind === 'subscription'
      ? `a { ${selectionOf(schema, schema.getType('A') as GraphQLObjectType, 2, pick)} }`
      : selectionOf(schema, schema.getType(root) as GraphQLObjectType, 3, pick);
  return `${kind} ${VARIABLES} { ${body} } fragment OfA on A { n name other { name } as { n } }`;
}

describe('compileOperation', () => {
  it(
    'answers generated operations like graphql-js, and calls the same resolvers',
    async () => {
      const schema = buildSchema(sdl);
      let compared = 0;
      let failed = 0;
      const property = fc.asyncProperty(
        fc.nat(),
        fc.constantFrom('query', 'query', 'mutation', 'subscription'),
        fc.array(variables, { minLength: 1, maxLength: 3 }),
        async (seed, kind, requests) => {
          const document = parse(operationOf(schema, seed, kind as 'query'));
          const calls: string[] = [];
          addResolvers(schema, seed, calls);
          const known = validate(schema, document).filter(
            ({ message }) => !/is never used|is not used|only one top level/.test(message),
          );
          if (known.length > 0) return;
          const [operation] = document.definitions;
          if (operation?.kind !== 'OperationDefinition') throw new Error('no operation');
          const compiled = compileOperation(schema, document, operation);
          for (const variableValues of requests) {
            const rootValue = { a: { __typename: 'A' } };
            const expected = await execute({
              schema,
              document,
              rootValue,
              contextValue: 'the context',
              variableValues,
            });
            const theirs = shown(expected, calls.splice(0));
            const bound = compiled.bind(variableValues);
            const own = bound.errors ? bound : await bound.execute(rootValue, 'the context');
            expect(shown(own, calls.splice(0))).toEqual(theirs);
            compared += 1;
            if (expected.errors) failed += 1;
          }
        },
      );
      await fc.assert(property, { numRuns: RUNS, seed: 7 });
      expect(compared).toBeGreaterThan(RUNS / 2);
      expect(failed).toBeGreaterThan(compared / 4);
      expect(failed).toBeLessThan(compared);
    },
    TIMEOUT_MS,
  );

  it('leaves out errors of fields that end after their object has become null', async () => {
    const schema = buildSchema(
      'type Query { a: A slow: Int } type A { quick: Int! late: Int below: A }',
    );
    const document = parse('{ a { quick late below { late } } slow }');
    const [operation] = document.definitions;
    if (operation?.kind !== 'OperationDefinition') throw new Error('no operation');
    const delayed = (ticks: number, message?: string) => async (): Promise<number> => {
      for (let left = ticks; left > 0; left -= 1) await undefined;
      return message === undefined ? 7 : fail(message);
    };
    const late = delayed(20, 'late');
    const rootValue = {
      a: { quick: delayed(1, 'quick'), late, below: { late } },
      slow: delayed(60),
    };
    const bound = compileOperation(schema, document, operation).bind({});
    const result = bound.errors ? bound : await bound.execute(rootValue, undefined);
    expect(shown(result, [])).toEqual(shown(await execute({ schema, document, rootValue }), []));
    expect(result.errors?.map(({ message }) => message)).toEqual(['quick']);
  });
});
