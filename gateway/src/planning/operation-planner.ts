import '../quiet-apollo.ts';
import { operationFromDocument } from '@apollo/federation-internals';
import { QueryPlanner } from '@apollo/query-planner';
import { type DocumentNode, parse } from 'graphql';
import { PLANNER_OPTIONS, type PlannedOperation } from '../plan-execution/plan-executor.ts';
import type { LoadedSupergraph } from '../supergraph.ts';
import { createRenaming } from './rename-operation.ts';
import { readRequiredNames } from './required-names.ts';

/**
 * Plans an operation that graphql-js has found valid.
 * @param document may contain further operations if `operationName` is given
 * @param labels labels of progressive overrides; those that it does not contain are off
 */
export type OperationPlanner = (
  document: DocumentNode,
  operationName: string | undefined,
  labels?: OverrideLabels,
) => PlannedOperation;

/** Whether each label of a progressive override is on. */
export type OverrideLabels = Map<string, boolean>;

const NO_LABELS: OverrideLabels = new Map();

/** Creates a planner for the operations of a supergraph, with Apollo's query planner. */
export function createOperationPlanner(
  supergraph: Pick<LoadedSupergraph, 'apiSchema' | 'model' | 'sdl'>,
): OperationPlanner {
  const planner = new QueryPlanner(supergraph.model, PLANNER_OPTIONS);
  const rename = createRenaming(readRequiredNames(parse(supergraph.sdl, { noLocation: true })));
  return (given, operationName, labels = NO_LABELS) => {
    const { document, replaced } = rename(given);
    const operation = operationFromDocument(
      supergraph.apiSchema,
      document,
      operationName ? { operationName } : {},
    );
    return {
      document,
      operationName,
      replaced,
      plan: planner.buildQueryPlan(operation, { overrideConditions: labels }),
    };
  };
}
