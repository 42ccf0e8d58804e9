import type { FetchDataKeyRenamer, FetchNode } from '@apollo/query-planner';
import {
  type DefinitionNode,
  type DocumentNode,
  type GraphQLSchema,
  Kind,
  type NameNode,
  type OperationDefinitionNode,
  parse,
  print,
  visit,
} from 'graphql';
import type { SubgraphAnswer } from '../subgraphs/subgraph-answer.ts';
import { isOfType } from './data-rewrites.ts';
import { createBare, type Data, isObject, own } from './merge-data.ts';
import type { FetchFromSubgraph, Values } from './plan-executor.ts';

const FRAGMENT = '... on ';

/**
 * Sends the request of a fetch whose fields take arguments from a context (`@fromContext`). The values come
 * from objects that surround the entities in the data. Entities with the same values share a selection of
 * `_entities`; other values lead to further selections under aliases, all of them in one request.
 * @param cursor the path of the plan at which the entities are
 * @param entities the object of each representation, in order
 * @param variables variables of the fetch, with `representations`
 * @returns an answer as if the subgraph had resolved all representations in one selection
 */
export async function fetchWithContext(
  { schema, fetch }: { readonly schema: GraphQLSchema; readonly fetch: FetchFromSubgraph },
  node: FetchNode,
  { root, path }: { readonly root: Data; readonly path: readonly (string | number)[] },
  entities: readonly Data[],
  variables: Values,
): Promise<SubgraphAnswer> {
  const { contextRewrites = [] } = node;
  const ancestors = findAncestors(root, path);
  const groups = new Map<string, Group>();
  for (const [index, entity] of entities.entries()) {
    const values = contextOf(schema, contextRewrites, ancestors.get(entity) ?? [entity]);
    const key = JSON.stringify(values);
    const group = groups.get(key) ?? { values, indexes: [] };
    groups.set(key, group);
    group.indexes.push(index);
  }
  const all = [...groups.values()];
  if (all.length === 1) return fetch(node, { ...variables, ...all[0]?.values });
  const { representations, ...rest } = variables;
  const used: Data = { ...rest };
  for (const [number, { values, indexes }] of all.entries()) {
    const own = indexes.map((index) => (representations as readonly Data[])[index]);
    used[representationsOf(number)] = own;
    for (const [name, value] of Object.entries(values)) used[numbered(name, number)] = value;
  }
  const operation = splitOperation(node, all.length);
  const lists = all.map((_, number) => ({
    variable: representationsOf(number),
    field: aliasOf(number),
  }));
  const answer = await fetch({ ...node, operation, entities: lists }, used);
  return joinAnswer(answer, all, entities.length);
}

/** Entities that have the same values for the arguments. */
interface Group {
  readonly values: Values;
  /** Places of the entities' representations. */
  readonly indexes: number[];
}

/**
 * Finds the objects at a path of a plan.
 * @returns for each of them, the objects around it, outermost first, and the object itself
 */
function findAncestors(
  root: Data,
  path: readonly (string | number)[],
): ReadonlyMap<unknown, readonly Data[]> {
  const found = new Map<unknown, readonly Data[]>();
  const visitAt = (value: unknown, at: number, around: readonly Data[]): void => {
    if (Array.isArray(value)) {
      const next = path[at] === '@' ? at + 1 : at;
      for (const element of value) visitAt(element, next, around);
      return;
    }
    if (!isObject(value)) return;
    const all = [...around, value];
    const name = path[at];
    if (name === undefined) found.set(value, all);
    else visitAt(own(value, String(name)), at + 1, all);
  };
  visitAt(root, 0, []);
  return found;
}

/** @returns the values of the variables that the rewrites set, by name */
function contextOf(
  schema: GraphQLSchema,
  rewrites: readonly FetchDataKeyRenamer[],
  around: readonly Data[],
): Values {
  const values = createBare();
  for (const { path, renameKeyTo } of rewrites) {
    // Several rewrites of a variable are for different types around the entity.
    if (values[renameKeyTo] !== undefined) continue;
    const value = valueAt(schema, path, around);
    if (value !== undefined) values[renameKeyTo] = value;
  }
  return values;
}

/** Reads a value relative to an entity; `..` is the object around it. */
function valueAt(schema: GraphQLSchema, path: readonly string[], around: readonly Data[]): unknown {
  const up = path.filter((part) => part === '..').length;
  let value: unknown = around.at(-1 - up);
  for (const part of path.slice(up)) {
    if (!isObject(value)) return value;
    if (!part.startsWith(FRAGMENT)) value = own(value, part);
    else if (!isOfType(schema, value, part.slice(FRAGMENT.length))) return undefined;
  }
  return value;
}

const numbered = (name: string, number: number): string => `${name}_${number}`;
/** Names the representations of one selection. No variable of a client begins with `contextualArgument_`. */
const representationsOf = (number: number): string => numbered('contextualArgument_of', number);
const aliasOf = (number: number): string => `_${number}`;

/** Operations that select `_entities` several times, by fetch and number of selections. */
const split = new WeakMap<FetchNode, Map<number, string>>();

function splitOperation(node: FetchNode, count: number): string {
  const known = split.get(node) ?? new Map<number, string>();
  split.set(node, known);
  const operation = known.get(count) ?? print(splitDocument(node, count));
  known.set(count, operation);
  return operation;
}

/** Repeats the selection of `_entities` of a fetch, each time with variables and fragments of its own. */
function splitDocument(
  { operation, contextRewrites = [] }: FetchNode,
  count: number,
): DocumentNode {
  const document = parse(operation, { noLocation: true });
  const own = new Set(contextRewrites.map((one) => one.renameKeyTo));
  const renamed = (variable: string, number: number): string | undefined => {
    if (variable === 'representations') return representationsOf(number);
    return own.has(variable) ? numbered(variable, number) : undefined;
  };
  const name = (value: string): NameNode => ({ kind: Kind.NAME, value });
  const renumber = <T extends DefinitionNode>(definition: T, number: number): T =>
    visit(definition, {
      Variable: (variable) => {
        const to = renamed(variable.name.value, number);
        return to === undefined ? undefined : { ...variable, name: name(to) };
      },
      FragmentSpread: (spread) => ({ ...spread, name: name(numbered(spread.name.value, number)) }),
      FragmentDefinition: (fragment) => ({
        ...fragment,
        name: name(numbered(fragment.name.value, number)),
      }),
      Field: (field) =>
        field.name.value === '_entities' ? { ...field, alias: name(aliasOf(number)) } : undefined,
    });
  const numbers = Array.from({ length: count }, (_, number) => number);
  const copies = document.definitions.map((definition) =>
    numbers.map((number) => renumber(definition, number)),
  );
  const definitions = copies.flatMap((all): DefinitionNode[] => {
    const [first] = all;
    if (first?.kind !== Kind.OPERATION_DEFINITION) return all;
    return [joinOperations(all as OperationDefinitionNode[])];
  });
  return { ...document, definitions };
}

function joinOperations(all: readonly OperationDefinitionNode[]): OperationDefinitionNode {
  const [first] = all as [OperationDefinitionNode];
  const variables = new Map(
    all.flatMap(({ variableDefinitions = [] }) =>
      variableDefinitions.map((one) => [one.variable.name.value, one] as const),
    ),
  );
  return {
    ...first,
    variableDefinitions: [...variables.values()],
    selectionSet: {
      kind: Kind.SELECTION_SET,
      selections: all.flatMap(({ selectionSet }) => selectionSet.selections),
    },
  };
}

/** Joins the answers to several selections of `_entities` into one, in the order of the representations. */
function joinAnswer(
  { data, errors, ...rest }: SubgraphAnswer,
  groups: readonly Group[],
  total: number,
): SubgraphAnswer {
  const place = (path: readonly (string | number)[]): (string | number)[] => {
    const number = groups.findIndex((_group, index) => aliasOf(index) === path[0]);
    const [, at, ...inner] = path;
    if (number < 0) return [...path];
    const index = typeof at === 'number' ? groups[number]?.indexes[at] : undefined;
    return index === undefined ? ['_entities'] : ['_entities', index, ...inner];
  };
  const moved = errors?.map((error) =>
    error.path ? { ...error, path: place(error.path) } : error,
  );
  const answer = { ...rest, ...(moved ? { errors: moved } : {}) };
  if (!data) return { ...answer, ...(data === undefined ? {} : { data }) };
  const entities: unknown[] = new Array(total).fill(null);
  for (const [number, { indexes }] of groups.entries()) {
    const received = data[aliasOf(number)];
    if (!Array.isArray(received) || received.length !== indexes.length) {
      throw new Error(`Expected "data.${aliasOf(number)}" to contain ${indexes.length} elements`);
    }
    for (const [at, index] of indexes.entries()) entities[index] = received[at];
  }
  return { ...answer, data: { _entities: entities } };
}
