import { setImmediate as nextIteration } from 'node:timers/promises';
import type { ApolloServerPlugin } from '@apollo/server';
import type { RequirementsOf } from '../auth/field-requirements.ts';
import { authorizationError } from '../auth/field-requirements.ts';
import type { GatewayContext } from '../context.ts';
import { findBadInput } from '../errors/bad-input.ts';

type Plugin = ApolloServerPlugin<GatewayContext>;

/**
 * Adds the affected argument to each error that occurs before execution. Operations without errors
 * have no extra cost.
 */
export const badInputPlugin: Plugin = {
  requestDidStart: async () => ({
    didEncounterErrors: async ({ document, errors, schema }) => {
      const own = errors.filter(({ extensions }) => extensions?.['serviceName'] === undefined);
      if (!document || own.length === 0) return;
      for (const [error, badInput] of findBadInput(own, document, schema)) {
        Object.assign(error.extensions, badInput);
      }
    },
  }),
};

/** Lets other requests be answered before a large answer is serialized. */
export const largeAnswerPlugin: Plugin = {
  requestDidStart: async ({ contextValue }) => ({
    willSendResponse: async () => {
      if (contextValue.answer?.isLarge) await nextIteration();
    },
  }),
};

/** Rejects operations that their caller may not run, before the operations are planned. */
export function authorizationPlugin(requirementsOf: RequirementsOf): Plugin {
  return {
    requestDidStart: async ({ contextValue: { identity } }) => {
      if (identity.unrestricted) return undefined;
      return {
        didResolveOperation: async ({ document, operation }) => {
          if (!operation) return;
          const error = authorizationError(requirementsOf({ document, operation }), identity);
          if (!error) return;
          const status = error.extensions['code'] === 'UNAUTHENTICATED' ? 401 : 403;
          error.extensions['http'] = { status };
          throw error;
        },
      };
    },
  };
}
