import type { FetchNode, QueryPlan } from '@apollo/query-planner';
import type { DocumentNode, GraphQLError } from 'graphql';
import type { SubgraphAnswer } from '../subgraphs/subgraph-answer.ts';

/** Values by name: variables, or the fields of an object. */
export type Values = Readonly<Record<string, unknown>>;

/** A valid query or mutation and the plan that Apollo's planner made of it. */
export interface PlannedOperation {
  readonly document: DocumentNode;
  readonly operationName: string | undefined;
  readonly plan: QueryPlan;
}

/** Sends one fetch of a plan to the subgraph `serviceName`. */
export type FetchFromSubgraph = (
  fetch: Pick<FetchNode, 'serviceName' | 'operation' | 'operationName'>,
  variables: Values,
) => Promise<SubgraphAnswer>;

/** The result of an operation, before errors are presented to a client. */
export interface ExecutedOperation {
  readonly data?: Values | null;
  readonly errors?: readonly GraphQLError[];
  readonly extensions?: { readonly valueCompletion: readonly GraphQLError[] };
}

/**
 * Runs a plan any number of times.
 * @param variables as sent by the client: subgraphs apply the defaults
 */
export type PreparedPlan = (
  variables: Values | undefined,
  fetch: FetchFromSubgraph,
) => Promise<ExecutedOperation>;

/**
 * Runs query plans: joins the subgraphs' answers and shapes the result, for queries, mutations and
 * the events of live streams. Implementations: `own-executor.ts` for nearly every operation, and
 * `apollo-executor.ts` for what it does not support; docs/decisions/plan-executor-and-fast-path.md
 * says why.
 */
export interface PlanExecutor {
  /** Does all work that does not depend on a request's variables. */
  readonly prepare: (planned: PlannedOperation) => PreparedPlan;
}
