import type { VariableDefinitions } from '@apollo/federation-internals';
import {
  evaluateCondition,
  type FetchNode,
  getResponseName,
  type PlanNode,
  type QueryPlanSelectionNode,
} from '@apollo/query-planner';
import { type GraphQLError, type GraphQLSchema, isInterfaceType } from 'graphql';
import { fetchWithContext } from './context-arguments.ts';
import { applyRewrites, isOfType } from './data-rewrites.ts';
import { createErrorPaths, subgraphError } from './fetch-errors.ts';
import { keepTypes } from './known-types.ts';
import { createBare, type Data, isObject, mergeInto, own } from './merge-data.ts';
import type { FetchFromSubgraph, Values } from './plan-executor.ts';
import { type ReplacedNames, toClientPath } from './replaced-names.ts';
import type { MayMutate } from './serial-mutations.ts';

/** State of one execution of a plan. */
export interface Execution {
  readonly schema: GraphQLSchema;
  readonly variables: Values | undefined;
  readonly definitions: VariableDefinitions;
  readonly fetch: FetchFromSubgraph;
  readonly replaced: ReplacedNames | undefined;
  /** Subgraphs that have an interface as an object; undefined if there are none. */
  readonly interfaceObjectsOf: ReadonlySet<string> | undefined;
  /** Errors in the order in which they occur. */
  readonly errors: (GraphQLError | Error)[];
  /** Decides about each mutation request of a plan with several; undefined for other plans. */
  mayMutate?: MayMutate;
  /** Called when a fetch on which deferred fragments depend has ended. @param id the fetch's id */
  readonly onFetched?: (id: string) => void;
  /** Whether a failed mutation has ended the execution. No further request is sent. */
  isStopped?: boolean;
}

interface Cursor {
  readonly path: readonly (string | number)[];
  readonly data: unknown;
  readonly root: Data;
}

/** Whether the own executor supports a plan. */
export function isRunnable(node: PlanNode | undefined): boolean {
  switch (node?.kind) {
    case undefined:
      return true;
    case 'Sequence':
    case 'Parallel':
      return node.nodes.every(isRunnable);
    case 'Flatten':
      return isRunnable(node.node);
    case 'Condition':
      return isRunnable(node.ifClause) && isRunnable(node.elseClause);
    case 'Fetch':
      return true;
    default:
      return false;
  }
}

/**
 * Runs a plan and merges the subgraphs' data, as executeQueryPlan.ts of @apollo/gateway does.
 * @returns all data, including fields that only the plan requires
 */
export async function runPlan(execution: Execution, node: PlanNode | undefined): Promise<Data> {
  const root = createBare();
  if (node) await runNode(execution, node, root);
  return root;
}

/** Runs a part of a plan. @param root data of the parts that have run, to which it adds its own */
export function runNode(execution: Execution, node: PlanNode, root: Data): Promise<void> {
  return run(execution, node, { path: [], data: root, root });
}

async function run(execution: Execution, node: PlanNode, cursor: Cursor): Promise<void> {
  switch (node.kind) {
    case 'Sequence':
      for (const child of node.nodes) await run(execution, child, cursor);
      return;
    case 'Parallel':
      await Promise.all(node.nodes.map((child) => run(execution, child, cursor)));
      return;
    case 'Flatten': {
      const data = flatten(cursor.data, node.path);
      if (!data) return;
      const { root } = cursor;
      return run(execution, node.node, { path: cursor.path.concat(node.path), data, root });
    }
    case 'Condition': {
      const { definitions, variables } = execution;
      const holds = evaluateCondition(node, definitions, variables);
      const branch = holds ? node.ifClause : node.elseClause;
      if (branch) await run(execution, branch, cursor);
      return;
    }
    case 'Fetch':
      if (node.operationKind === 'mutation' && execution.mayMutate?.(node, cursor.root) === false) {
        execution.isStopped = true;
      }
      if (execution.isStopped) return;
      try {
        await runFetch(execution, node, cursor);
      } catch (error) {
        execution.errors.push(error as Error);
      }
      if (node.id !== undefined) execution.onFetched?.(node.id);
      return;
    case 'Defer':
      throw new Error('A deferred part is inside a part that is not');
  }
}

async function runFetch(execution: Execution, node: FetchNode, cursor: Cursor): Promise<void> {
  const { data } = cursor;
  const entities = (Array.isArray(data) ? data.filter((one) => one != null) : [data]) as Data[];
  if (entities.length < 1) return;
  const variables = usedVariables(node, execution.variables);
  const { requires } = node;
  if (!requires) {
    const answer = await fetchData(execution, node, cursor, variables);
    if (node.outputRewrites && answer) applyRewrites(execution.schema, node.outputRewrites, answer);
    for (const entity of entities) mergeAnswer(execution, node, entity, answer);
    return;
  }
  const representations: Data[] = [];
  const represented: Data[] = [];
  for (const entity of entities) {
    const representation = represent(execution.schema, entity, requires);
    if (!representation?.['__typename']) continue;
    if (node.inputRewrites) applyRewrites(execution.schema, node.inputRewrites, representation);
    representations.push(representation);
    represented.push(entity);
  }
  if (representations.length < 1) return;
  if ('representations' in variables) {
    throw new Error(`Variables cannot contain key "representations"`);
  }
  const send: FetchFromSubgraph | undefined = node.contextRewrites
    ? (_node, used) => fetchWithContext(execution, node, cursor, represented, used)
    : undefined;
  const given = { ...variables, representations };
  const answer = await fetchData(execution, node, cursor, given, { represented, send });
  if (!answer) return;
  const received = answer['_entities'];
  if (!Array.isArray(received)) {
    throw new Error(`Expected "data._entities" in response to be an array`);
  }
  if (received.length !== representations.length) {
    throw new Error(`Expected "data._entities" to contain ${representations.length} elements`);
  }
  for (const [index, entity] of represented.entries()) {
    const more = received[index];
    if (more && more['__typename'] !== entity['__typename']) {
      // A subgraph that has the interface as an object does not know the entity's type.
      const isKnown = more['__typename'] && !isInterface(execution.schema, more['__typename']);
      if (!isKnown) more['__typename'] = entity['__typename'];
    }
    if (node.outputRewrites) applyRewrites(execution.schema, node.outputRewrites, more);
    mergeAnswer(execution, node, entity, more);
  }
}

function mergeAnswer(
  { schema, interfaceObjectsOf }: Execution,
  { serviceName }: FetchNode,
  known: Data,
  answer: Data | null | undefined,
): void {
  if (interfaceObjectsOf?.has(serviceName)) keepTypes(schema, known, answer);
  mergeInto(known, answer);
}

function isInterface(schema: GraphQLSchema, name: unknown): boolean {
  return isInterfaceType(schema.getType(String(name)));
}

async function fetchData(
  { fetch, errors, replaced }: Execution,
  node: FetchNode,
  { path, root }: Cursor,
  variables: Values,
  {
    represented,
    send = fetch,
  }: {
    readonly represented?: readonly Data[];
    readonly send?: FetchFromSubgraph | undefined;
  } = {},
): Promise<Data | null | undefined> {
  const answer = await send(node, variables);
  if (answer.errors) {
    const pathOf = createErrorPaths(path, root, represented);
    for (const error of answer.errors) {
      const place = pathOf(error.path);
      const shown = replaced ? toClientPath(place, replaced) : place;
      errors.push(subgraphError(error, node.serviceName, shown));
    }
  }
  return answer.data;
}

function usedVariables({ variableUsages = [] }: FetchNode, given: Values | undefined): Data {
  const used = createBare();
  for (const name of variableUsages) {
    const value = given && own(given, name);
    if (value !== undefined) used[name] = value;
  }
  return used;
}

/** Builds the representation of an entity. Returns null if a required field is missing. */
function represent(
  schema: GraphQLSchema,
  source: Data | null,
  selections: readonly QueryPlanSelectionNode[],
): Data | null {
  if (source === null) return null;
  const result = createBare();
  for (const selection of selections) {
    if (selection.kind === 'Field') {
      const name = getResponseName(selection);
      const value = own(source, name);
      if (value === undefined) return null;
      const inner = selection.selections;
      result[name] = inner ? representValue(schema, value, inner) : value;
    } else if (selection.typeCondition && isOfType(schema, source, selection.typeCondition)) {
      mergeInto(result, represent(schema, source, selection.selections));
    }
  }
  return result;
}

/** Builds the part of a representation for an object, or for a list of objects or of lists. */
function representValue(
  schema: GraphQLSchema,
  value: unknown,
  selections: readonly QueryPlanSelectionNode[],
): unknown {
  if (!Array.isArray(value)) return represent(schema, value as Data | null, selections);
  return value.map((element) => representValue(schema, element, selections));
}

function flatten(value: unknown, path: readonly (string | number)[], at = 0): unknown {
  if (at === path.length || value === undefined || value === null) return value;
  const current = path[at];
  if (current === '@') {
    return (value as unknown[]).flatMap((element) => flatten(element, path, at + 1));
  }
  if (typeof current !== 'string') throw new Error(`Unexpected ${typeof current} found in path`);
  if (Array.isArray(value)) {
    throw new Error(`Unexpected array in result for path element ${current}`);
  }
  return flatten(isObject(value) ? own(value, current) : undefined, path, at + 1);
}
