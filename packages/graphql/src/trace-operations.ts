import type { ApolloServerPlugin } from '@apollo/server';
import { setErrorTrace, startSpan, traceId } from '@gudang/runtime/tracing';

/** What of an operation's context traces need. */
export interface Traced {
  /** What caused the operation; within it, the operation itself: for what comes of it. */
  traceparent?: string | undefined;
}

/**
 * A span for each query and mutation, named after its type and first field. Errors are noted with
 * their trace, also where only the caller makes one.
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
          span.end(failed ? 'the answer has errors' : undefined);
        },
      };
    },
  };
}
