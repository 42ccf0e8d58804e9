import { createRequirements } from './auth/field-requirements.ts';
import { presentErrors } from './errors/present-errors.ts';
import type { ClientLimits } from './limits/client-limits.ts';
import { CostlyOperations } from './limits/costly-operations.ts';
import { type ApolloPipeline, startApolloPipeline } from './request-pipeline/apollo-pipeline.ts';
import { createGraphqlMetrics } from './request-pipeline/graphql-metrics.ts';
import { createOperationFastPath } from './request-pipeline/operation-fast-path.ts';
import {
  createRequestDeduplication,
  type RequestDeduplication,
} from './request-pipeline/request-deduplication.ts';
import { sampleOperations } from './request-pipeline/sampled-operations.ts';
import type { GatewayRuntime } from './runtime.ts';
import { type Subgraphs, startSubgraphs } from './subgraphs/subgraphs.ts';
import type { LoadedSupergraph } from './supergraph.ts';

/** Executes queries and mutations. */
export interface Execution extends Pick<ApolloPipeline, 'use'> {
  readonly subgraphs: Subgraphs;
  /** Answers requests with a shared execution, the fast path, or Apollo Server. */
  readonly requests: RequestDeduplication;
}

export async function startExecution(
  runtime: GatewayRuntime,
  supergraph: LoadedSupergraph,
  { memory, planning }: Pick<ClientLimits, 'memory' | 'planning'>,
): Promise<Execution> {
  const { settings, started, headers, plugins, invalidation, metrics, log } = runtime;
  const maxBytes = settings.LIMIT_ANSWER_KIB * 1024;
  const subgraphs = started(
    'subgraphs',
    startSubgraphs({
      ...runtime,
      addresses: runtime.addressesOf(supergraph),
      maxAnswerBytes: maxBytes,
      forwarding: headers.forwarding,
      prepare: headers.prepare,
      returning: headers.returning,
    }),
  );
  const graphqlMetrics = createGraphqlMetrics(metrics);
  let requirementsOf = createRequirements(supergraph);
  const apollo = started(
    'graphql',
    await startApolloPipeline({
      supergraph,
      subgraphs,
      planning,
      requirementsOf: (operation) => requirementsOf(operation),
      explore: runtime.explore,
      maxTokens: settings.LIMIT_TOKENS,
      shares: settings.OVERRIDE_LABELS,
      metrics: graphqlMetrics,
      plugins: plugins.apollo,
      log,
    }),
  );
  const fastPath = createOperationFastPath({
    apollo,
    requirementsOf: (operation) => requirementsOf(operation),
    metrics: graphqlMetrics,
  });
  // A plugin that follows requests must see each of them.
  const pipeline = plugins.needsPipeline ? apollo : fastPath;
  return {
    subgraphs,
    requests: createRequestDeduplication({
      invalidation,
      pipeline: runtime.journeysUrl ? sampleOperations(pipeline) : pipeline,
      answers: { maxBytes, memory },
      returning: headers.returning,
      isShared: !plugins.needsPipeline,
      costly: new CostlyOperations(metrics),
      present: (errors) => presentErrors(errors, log),
      metrics,
    }),
    use: (next) => {
      apollo.use(next);
      requirementsOf = createRequirements(next);
      fastPath.clear();
    },
  };
}
