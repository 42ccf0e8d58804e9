import {
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLFormattedError,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  isAbstractType,
  isEnumType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  parse,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';
import type { SubgraphAnswer } from '../subgraphs/subgraph-answer.ts';
import { createRandom, type Random, seedOf } from './random.ts';

interface Asked {
  readonly query: string;
  readonly variables?: Readonly<Record<string, unknown>> | undefined;
}

/** Probability of each kind of fault, from 0 to 1. */
export interface Oddity {
  readonly nulls: number;
  /** Probability of a wrong type, of a value in place of a list, and of an unknown type. */
  readonly nonsense: number;
  readonly errors: number;
}

/**
 * Generates a subgraph's answer with faults. The same request and seed give the same answer. An entity depends
 * on its representation alone.
 */
export function randomAnswer(
  schema: GraphQLSchema,
  { query, variables = {} }: Asked,
  { seed, oddity }: { seed: number; oddity: Oddity },
): SubgraphAnswer {
  const createOwn = (values: unknown) =>
    createRandom(seedOf(`${seed}\n${query}\n${JSON.stringify(values)}`));
  const told = (variables['representations'] ?? []) as readonly { __typename: string }[];
  const distinct = [...new Set(told.map((one) => JSON.stringify(one)))];
  let random = createOwn({ ...variables, representations: distinct });
  const document = parse(query);
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const one of document.definitions) {
    if (one.kind === Kind.FRAGMENT_DEFINITION) fragments.set(one.name.value, one);
  }
  const operation = document.definitions.find((one) => one.kind === Kind.OPERATION_DEFINITION);
  if (operation?.kind !== Kind.OPERATION_DEFINITION) throw new Error('no operation');
  const root =
    operation.operation === 'mutation' ? schema.getMutationType() : schema.getQueryType();
  const errors: GraphQLFormattedError[] = [];
  const path: (string | number)[] = [];

  const isLeftOut = ({ directives = [] }: SelectionNode): boolean =>
    directives.some(({ name, arguments: given = [] }) => {
      const [argument] = given;
      const value =
        argument?.value.kind === Kind.VARIABLE
          ? (variables[argument.value.name.value] ?? true)
          : argument?.value.kind === Kind.BOOLEAN && argument.value.value;
      return name.value === 'skip' ? value === true : value !== true;
    });
  const collect = (
    type: GraphQLObjectType,
    set: SelectionSetNode,
    found: Map<string, FieldNode[]>,
  ) => {
    for (const one of set.selections) {
      if (isLeftOut(one)) continue;
      if (one.kind === Kind.FIELD) {
        const name = one.alias?.value ?? one.name.value;
        found.set(name, [...(found.get(name) ?? []), one]);
        continue;
      }
      const fragment = one.kind === Kind.FRAGMENT_SPREAD ? fragments.get(one.name.value) : one;
      const on = fragment?.typeCondition && schema.getType(fragment.typeCondition.name.value);
      const applies = !on || on === type || (isAbstractType(on) && schema.isSubType(on, type));
      if (fragment && applies) collect(type, fragment.selectionSet, found);
    }
    return found;
  };
  const objectOf = (type: GraphQLObjectType, sets: readonly SelectionSetNode[]) => {
    const fields = new Map<string, FieldNode[]>();
    for (const set of sets) collect(type, set, fields);
    const object: Record<string, unknown> = Object.create(null);
    for (const [name, nodes] of fields) {
      const [node] = nodes;
      if (!node) continue;
      path.push(name);
      if (node.name.value === '__typename') {
        object[name] = random.chance(oddity.nonsense / 4) ? 'Ghost' : type.name;
      } else if (node.name.value === '_entities') {
        object[name] = entitiesOf(nodes);
      } else {
        const field = type.getFields()[node.name.value];
        if (field && !random.chance(oddity.nonsense / 4)) {
          object[name] = valueFor(field.type, setsOf(nodes));
        }
      }
      path.pop();
    }
    return object;
  };
  const entitiesOf = (nodes: readonly FieldNode[]): unknown => {
    if (random.chance(oddity.nonsense / 4)) return 'no list';
    const ofList = random;
    const entities = told.map((representation, index) => {
      path.push(index);
      random = createOwn(representation);
      const type = schema.getType(representation.__typename);
      const isNull = fails() || !isObjectType(type);
      const entity = isNull ? null : objectOf(type, setsOf(nodes));
      path.pop();
      return entity;
    });
    random = ofList;
    return random.chance(oddity.nonsense / 4) ? entities.slice(1) : entities;
  };
  /** Decides whether a value is missing, and adds an error for some missing values. */
  const fails = (): boolean => {
    if (random.chance(oddity.errors)) {
      errors.push(randomError(random, path));
      return true;
    }
    return random.chance(oddity.nulls);
  };
  const valueFor = (type: GraphQLOutputType, sets: readonly SelectionSetNode[]): unknown => {
    if (fails()) return null;
    if (isNonNullType(type)) return valueFor(type.ofType, sets);
    if (random.chance(oddity.nonsense)) return random.pick([7, 'text', 1.5, true, [], {}]);
    if (isListType(type)) {
      return Array.from({ length: random.below(4) }, (_, index) => {
        path.push(index);
        const value = valueFor(type.ofType, sets);
        path.pop();
        return value;
      });
    }
    if (isObjectType(type)) return objectOf(type, sets);
    if (isAbstractType(type)) return objectOf(random.pick(schema.getPossibleTypes(type)), sets);
    if (isEnumType(type)) return random.pick(type.getValues()).name;
    if (type.name === 'Int') return random.below(1_000);
    if (type.name === 'Float') return random.next();
    if (type.name === 'Boolean') return random.chance(0.5);
    if (type.name === 'Any') return random.pick([1, 'x', { deep: [1] }, [null]]);
    return `${type.name} ${random.below(5)}`;
  };
  const data =
    root && !random.chance(oddity.errors / 4) ? objectOf(root, [operation.selectionSet]) : null;
  if (data === null && errors.length === 0) errors.push(randomError(random, undefined));
  // Copies the answer through JSON, because a real answer is parsed from JSON.
  return JSON.parse(JSON.stringify(errors.length > 0 ? { data, errors } : { data }));
}

function setsOf(nodes: readonly FieldNode[]): SelectionSetNode[] {
  return nodes.flatMap(({ selectionSet }) => (selectionSet ? [selectionSet] : []));
}

function randomError(
  random: Random,
  path: readonly (string | number)[] | undefined,
): GraphQLFormattedError {
  const codes = ['NOT_FOUND', 'INVALID_GRAPHQL', 'DOWNSTREAM_SERVICE_ERROR'];
  return {
    message: random.pick(['it failed', '', 'another time']),
    ...(path && (path[0] === '_entities' || random.chance(0.8)) ? { path: [...path] } : {}),
    ...(random.chance(0.6) ? { extensions: { code: random.pick(codes), more: 1 } } : {}),
  };
}
