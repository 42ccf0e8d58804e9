import { startSpan } from '@gudang/runtime/tracing';
import type { OperationDefinitionNode } from 'graphql';
import type { RequestPipeline } from './request-pipeline.ts';

/**
 * Begins a trace for some of the mutations whose only root field is named in `JOURNEYS_OF`. The pipeline
 * stays the same for them, including the fast path.
 */
export function sampleOperations(pipeline: RequestPipeline): RequestPipeline {
  return {
    answer: async (request, context) => {
      const field = onlyFieldOf(request.operation);
      const { forward } = context;
      const span =
        field === undefined
          ? undefined
          : startSpan(field, { kind: 'server', parent: forward['traceparent'], isEntry: true });
      if (!span) return pipeline.answer(request, context);
      try {
        const traced = { ...forward, traceparent: span.traceparent };
        return await pipeline.answer(request, { ...context, forward: traced });
      } finally {
        span.end();
      }
    },
  };
}

/** Returns the name of a mutation's root field; undefined for other operations and for several fields. */
function onlyFieldOf({ operation, selectionSet }: OperationDefinitionNode): string | undefined {
  const [field, ...more] = selectionSet.selections;
  if (operation !== 'mutation' || more.length > 0 || field?.kind !== 'Field') return undefined;
  return field.name.value;
}
