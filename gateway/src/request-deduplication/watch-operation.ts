import type { ApolloServerPlugin } from '@apollo/server';
import type { GatewayContext } from '../context.ts';
import type { Invalidation } from './invalidation.ts';

/** Tells who began an operation what kind it is, before it is executed. */
export const operationKindPlugin: ApolloServerPlugin<GatewayContext> = {
  requestDidStart: async () => ({
    didResolveOperation: async ({ operation, contextValue }) => {
      if (operation) contextValue.begins?.(operation.operation);
    },
  }),
};

/**
 * Runs an operation in a context of its own, and marks the end of a mutation before its answer is
 * handed on, also of one that failed: it may have changed something all the same.
 * @param onQuery called when it turns out to be a query
 */
export async function watchOperation<T>(
  { mutationAnswered }: Pick<Invalidation, 'mutationAnswered'>,
  context: GatewayContext,
  run: (context: GatewayContext) => Promise<T>,
  onQuery?: () => void,
): Promise<T> {
  let isMutation = false;
  const begins: GatewayContext['begins'] = (kind) => {
    if (kind === 'query') onQuery?.();
    isMutation = kind === 'mutation';
  };
  try {
    return await run({ ...context, begins });
  } finally {
    if (isMutation) mutationAnswered();
  }
}
