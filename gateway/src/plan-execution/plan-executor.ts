import type { FetchNode, QueryPlan } from '@apollo/query-planner';
import type { DocumentNode, GraphQLError } from 'graphql';
import type { PartSink } from '../defer/part-sink.ts';
import { ENTITIES, type EntityList } from '../subgraphs/repeated-entities.ts';
import type { SubgraphAnswer } from '../subgraphs/subgraph-answer.ts';
import type { SubgraphRequest } from '../subgraphs/subgraph-source.ts';
import type { ReplacedNames } from './replaced-names.ts';

/** Values by name: variables, or the fields of an object. */
export type Values = Readonly<Record<string, unknown>>;

/** A valid query or mutation, and the plan that Apollo's planner made for it. */
export interface PlannedOperation {
  /** The operation that was planned. Some of the client's names may be replaced in it. */
  readonly document: DocumentNode;
  readonly operationName: string | undefined;
  readonly plan: QueryPlan;
  /** Undefined if all names are the client's. */
  readonly replaced?: ReplacedNames | undefined;
}

/** The parts of a plan's fetch from which its request is made. */
export interface SentFetch
  extends Pick<FetchNode, 'serviceName' | 'operation' | 'operationName' | 'requires'> {
  /** The lists of representations, if the fetch has others than `representations`. */
  readonly entities?: readonly EntityList[] | undefined;
}

/** Sends one fetch of a plan to the subgraph `serviceName`. */
export type FetchFromSubgraph = (fetch: SentFetch, variables: Values) => Promise<SubgraphAnswer>;

/** Returns the request of a fetch. */
export function requestOf(
  { operation: query, operationName, requires, entities = requires && ENTITIES }: SentFetch,
  variables: Values,
): SubgraphRequest {
  return { query, variables, operationName, entities };
}

/** The result of an operation, before errors are presented to a client. */
export interface ExecutedOperation {
  readonly data?: Values | null;
  readonly errors?: readonly GraphQLError[];
}

/**
 * Runs a prepared plan. It can be called any number of times.
 * @param variables as sent by the client; the subgraphs apply the default values
 */
export type PreparedPlan = (
  variables: Values | undefined,
  fetch: FetchFromSubgraph,
) => Promise<ExecutedOperation>;

/** Runs a prepared plan with deferred fragments. @returns the result without these fragments */
export type PreparedParts = (
  variables: Values | undefined,
  fetch: FetchFromSubgraph,
  sink: PartSink,
) => Promise<ExecutedOperation>;

/**
 * Runs the query plans of queries, mutations and events of live streams: joins the subgraphs'
 * answers and shapes the result. `own-executor.ts` runs nearly every operation.
 * `apollo-executor.ts` runs the operations that `own-executor.ts` does not support.
 * docs/decisions/plan-executor-and-fast-path.md gives the reasons.
 */
export interface PlanExecutor {
  /** Prepares an operation: does all work that does not depend on a request's variables. */
  readonly prepare: (planned: PlannedOperation) => PreparedPlan;
}

/**
 * Options of every query planner. Of the plans for one operation, at most 1,000 are compared. Apollo's
 * default is 10,000, which takes seconds in supergraphs in which many subgraphs resolve the same fields.
 */
export const PLANNER_OPTIONS = {
  debug: { maxEvaluatedPlans: 1_000 },
  incrementalDelivery: { enableDefer: true },
};
