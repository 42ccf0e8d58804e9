import type { FormattedExecutionResult } from 'graphql';
import type { SubscribePayload } from 'graphql-ws';
import type { GatewayContext } from '../../context.ts';

/** Runs a query or mutation; request errors come without `data`. */
export type OperationExecutor = (
  request: SubscribePayload,
  context: GatewayContext,
) => Promise<FormattedExecutionResult>;
