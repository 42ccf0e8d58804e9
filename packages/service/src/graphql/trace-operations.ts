import type { ApolloServerPlugin } from '@apollo/server';
import { startSpan } from '../tracing/tracing.ts';

/** What of an operation's context traces need. */
export interface Traced {
  /** What caused the operation; within it, the operation itself: for what comes of it. */
  traceparent?: string | undefined;
}

/**
 * A span for each query and mutation, named after its type and first field.
 * @param traced where in the context its traceparent is kept
 */
export function traceOperations<C extends object>(
  traced: (context: C) => Traced,
): ApolloServerPlugin<C> {
  return {
    requestDidStart: async ({ contextValue }) => {
      const cause = traced(contextValue);
      const span = startSpan('graphql', {
        kind: 'server',
        parent: cause.traceparent,
      });
      if (span === undefined) return;
      cause.traceparent = span.traceparent;
      return {
        willSendResponse: async ({ operation, response }) => {
          const [field] = operation?.selectionSet.selections ?? [];
          span.set('graphql.operation.type', operation?.operation ?? 'none');
          if (field?.kind === 'Field') span.set('graphql.field', field.name.value);
          const failed =
            response.body.kind === 'single' && response.body.singleResult.errors !== undefined;
          span.end(failed ? 'the answer has errors' : undefined);
        },
      };
    },
  };
}
