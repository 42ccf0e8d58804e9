import type { FastifyRequest } from 'fastify';
import type { FormattedExecutionResult } from 'graphql';
import type { SubscribePayload } from 'graphql-ws';
import type { GatewayContext } from '../context.ts';

/** A complete HTTP answer; requests that share an execution get the same bytes. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Iterable<readonly [string, string]>;
  readonly body: string;
}

/**
 * Answers queries and mutations over HTTP. Implementations: `apollo-pipeline.ts`, which answers every
 * request by Apollo Server, and `operation-fast-path.ts`, which answers most operations that Apollo
 * Server has answered before; docs/decisions/plan-executor-and-fast-path.md says why.
 */
export interface RequestPipeline {
  readonly answer: (request: FastifyRequest, context: GatewayContext) => Promise<HttpAnswer>;
}

/** Whether an answer has data and no errors: both implementations write `errors` first. */
export function hasNoErrors({ status, body }: HttpAnswer): boolean {
  return status === 200 && body.startsWith('{"data"');
}

/** Executes a query or mutation; the result of a request error has no `data`. */
export type OperationExecutor = (
  request: SubscribePayload,
  context: GatewayContext,
) => Promise<FormattedExecutionResult>;
