import type { FetchNode, PlanNode } from '@apollo/query-planner';
import { Kind, parse, type SelectionSetNode } from 'graphql';
import type { Data } from './merge-data.ts';

/** The response names of the root fields of each mutation request in a plan. */
export type SerialMutations = ReadonlyMap<FetchNode, readonly string[]>;

/** Decides whether a mutation request may be sent. @param data all data received so far */
export type MayMutate = (node: FetchNode, data: Data) => boolean;

/** Returns undefined if a plan sends at most one mutation request. */
export function findSerialMutations(plan: PlanNode | undefined): SerialMutations | undefined {
  const found = new Map<FetchNode, readonly string[]>();
  const visit = (node: PlanNode | undefined): void => {
    switch (node?.kind) {
      case 'Fetch':
        if (node.operationKind === 'mutation') found.set(node, rootNamesOf(node.operation));
        return;
      case 'Sequence':
      case 'Parallel':
        node.nodes.forEach(visit);
        return;
      case 'Flatten':
        visit(node.node);
        return;
      case 'Defer':
        visit(node.primary.node);
        return;
      case 'Condition':
        visit(node.ifClause);
        visit(node.elseClause);
    }
  };
  visit(plan);
  return found.size > 1 ? found : undefined;
}

/**
 * Creates the guard of one execution. It stops at the first failed mutation whose type is non-null:
 * the result has no data then, and graphql-js does not run the later mutations either. A plan
 * completes each mutation, including the fields of other subgraphs, before the next one.
 * @param isNulled whether the given root fields, which are complete, leave no data
 */
export function createMutationGuard(
  mutations: SerialMutations,
  isNulled: (names: ReadonlySet<string>, data: Data) => boolean,
): MayMutate {
  const waiting = new Set(mutations.keys());
  let isStopped = false;
  return (next, data) => {
    if (!isStopped && waiting.size < mutations.size) {
      // Several requests fetch parts of the same field if its selections have conditions.
      const incomplete = new Set(namesOf(waiting, mutations));
      const complete = namesOf(mutations.keys(), mutations).filter((name) => !incomplete.has(name));
      isStopped = isNulled(new Set(complete), data);
    }
    waiting.delete(next);
    return !isStopped;
  };
}

function namesOf(nodes: Iterable<FetchNode>, mutations: SerialMutations): string[] {
  return [...nodes].flatMap((node) => mutations.get(node) ?? []);
}

function rootNamesOf(operation: string): string[] {
  const names: string[] = [];
  const collect = ({ selections }: SelectionSetNode): void => {
    for (const one of selections) {
      if (one.kind === Kind.FIELD) names.push(one.alias?.value ?? one.name.value);
      else if (one.kind === Kind.INLINE_FRAGMENT) collect(one.selectionSet);
    }
  };
  for (const definition of parse(operation, { noLocation: true }).definitions) {
    if (definition.kind === Kind.OPERATION_DEFINITION) collect(definition.selectionSet);
  }
  return names;
}
