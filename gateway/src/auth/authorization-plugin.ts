import type { ApolloServerPlugin } from '@apollo/server';
import type { GatewayContext } from '../context.ts';
import { authorizationError } from './authorization-error.ts';
import type { RequirementsOf } from './field-requirements.ts';

/** Refuses queries and mutations that their caller may not run, before they are planned. */
export function authorizationPlugin(
  requirements: () => RequirementsOf,
): ApolloServerPlugin<GatewayContext> {
  return {
    requestDidStart: async ({ contextValue: { identity } }) => {
      if (identity.unrestricted) return undefined;
      return {
        didResolveOperation: async ({ document, operation }) => {
          if (!operation) return;
          const refused = authorizationError(requirements()({ document, operation }), identity);
          if (!refused) return;
          const status = refused.extensions['code'] === 'UNAUTHENTICATED' ? 401 : 403;
          refused.extensions['http'] = { status };
          throw refused;
        },
      };
    },
  };
}
