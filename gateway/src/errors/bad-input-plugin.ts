import type { ApolloServerPlugin } from '@apollo/server';
import { GraphQLError } from 'graphql';
import type { GatewayContext } from '../context.ts';
import { findBadInput } from './bad-input.ts';

/** Says of errors before execution which argument they are about; costs nothing without errors. */
export const badInputPlugin: ApolloServerPlugin<GatewayContext> = {
  requestDidStart: async () => ({
    didResolveOperation: async ({ operation, request }) => {
      if (operation) return;
      throw new GraphQLError(
        request.operationName
          ? `There is no operation named "${request.operationName}"`
          : 'Say which of the operations to run, by operationName',
        { extensions: { code: 'OPERATION_RESOLUTION_FAILURE', http: { status: 400 } } },
      );
    },
    didEncounterErrors: async ({ document, errors, request, schema }) => {
      const own = errors.filter(({ extensions }) => extensions?.['serviceName'] === undefined);
      if (!document || own.length === 0) return;
      for (const [error, badInput] of findBadInput(own, document, schema, request.variables)) {
        Object.assign(error.extensions, badInput);
      }
    },
  }),
};
