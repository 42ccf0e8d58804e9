import '../quiet-apollo.ts';
import { buildOperationContext, executeQueryPlan, type GraphQLDataSource } from '@apollo/gateway';
import type { LoadedSupergraph } from '../supergraph.ts';
import type {
  ExecutedOperation,
  FetchFromSubgraph,
  PlanExecutor,
  PreparedPlan,
} from './plan-executor.ts';

type RequestContext = Parameters<typeof executeQueryPlan>[2];

/** Creates the executor of @apollo/gateway. It supports all plans except those of subscriptions. */
export function createApolloExecutor(supergraph: LoadedSupergraph): PlanExecutor {
  const { apiSchema, schema, supergraphSchema } = supergraph;
  return {
    prepare: ({ document, operationName, plan }): PreparedPlan => {
      const operationContext = buildOperationContext({
        schema,
        operationDocument: document,
        ...(operationName === undefined ? {} : { operationName }),
      });
      return (variables, fetch) => {
        // `metrics` must exist, because executeQueryPlan writes error paths into it.
        const requestContext = { request: { variables }, context: { fetch }, metrics: {} };
        return executeQueryPlan(
          plan,
          SERVICES,
          requestContext as unknown as RequestContext,
          operationContext,
          supergraphSchema,
          apiSchema,
        ) as Promise<ExecutedOperation>;
      };
    },
  };
}

/**
 * Record that has a data source for every subgraph name. The data sources send requests through the
 * `fetch` of the current execution.
 */
const SERVICES = new Proxy<Record<string, GraphQLDataSource>>(
  {},
  { get: (_target, serviceName) => createDataSource(String(serviceName)) },
);

function createDataSource(serviceName: string): GraphQLDataSource<{ fetch: FetchFromSubgraph }> {
  return {
    process: async ({ request, context }) => {
      const { query: operation = '', operationName, variables = {} } = request;
      return context.fetch({ serviceName, operation, operationName }, variables);
    },
  };
}
