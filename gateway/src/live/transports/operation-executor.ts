import type { FormattedExecutionResult } from 'graphql';
import type { SubscribePayload } from 'graphql-ws';
import type { GatewayContext } from '../../context.ts';

/** Executes a query or mutation; the result of a request error has no `data`. */
export type OperationExecutor = (
  request: SubscribePayload,
  context: GatewayContext,
) => Promise<FormattedExecutionResult>;
