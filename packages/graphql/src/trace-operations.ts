import type { ApolloServerPlugin } from '@apollo/server';
import { setErrorTrace, startSpan, traceId } from '@gudang/runtime/tracing';

/** The part of an operation's context that tracing uses. */
export interface Traced {
  /** W3C traceparent: first that of the operation's cause, then that of the operation's span. */
  traceparent?: string | undefined;
}

/**
 * Apollo Server plugin with a span for each query and mutation, with its type and first field. Errors get
 * the id of their trace, even if only the caller traces.
 * @param traced returns the part of the context that has the traceparent
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
