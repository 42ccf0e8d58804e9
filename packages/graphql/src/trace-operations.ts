import type { ApolloServerPlugin } from '@apollo/server';
import { setErrorTrace, startSpan, traceId } from '@gudang/runtime/tracing';

/** The part of an operation's context that tracing uses. */
export interface Traced {
  /**
   * W3C traceparent: initially the traceparent of the operation's cause, later the traceparent of the
   * operation's span.
   */
  traceparent?: string | undefined;
}

/**
 * Apollo Server plugin that creates a span for each query and mutation. The span contains the operation's
 * type and first field. The plugin also stores the trace id with each error, even if tracing is disabled
 * in this process.
 * @param traced returns the part of the context that contains the traceparent
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
      const didEncounterErrors = async ({
        errors,
      }: {
        errors: readonly object[];
      }): Promise<void> => {
        for (const error of errors) setErrorTrace(error, traceId(cause.traceparent));
      };
      if (span === undefined) return { didEncounterErrors };
      cause.traceparent = span.traceparent;
      return {
        didEncounterErrors,
        willSendResponse: async ({ operation, response }) => {
          const [field] = operation?.selectionSet.selections ?? [];
          span.set('graphql.operation.type', operation?.operation ?? 'none');
          if (field?.kind === 'Field') span.set('graphql.field', field.name.value);
          const failed =
            response.body.kind === 'single' && response.body.singleResult.errors !== undefined;
          span.end(failed ? 'the response has errors' : undefined);
        },
      };
    },
  };
}
