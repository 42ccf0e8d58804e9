import '../quiet-apollo.ts';
import { buildOperationContext, executeQueryPlan, type GraphQLDataSource } from '@apollo/gateway';
import type { GraphQLError } from 'graphql';
import type { LoadedSupergraph } from '../supergraph.ts';
import { type Misfit, withCompletionErrors } from './completion-errors.ts';
import type {
  ExecutedOperation,
  FetchFromSubgraph,
  PlanExecutor,
  PreparedPlan,
  Values,
} from './plan-executor.ts';
import { withClientNames } from './replaced-names.ts';

type RequestContext = Parameters<typeof executeQueryPlan>[2];

/**
 * Creates the executor of @apollo/gateway. It supports all plans except those of subscriptions. Its
 * `extensions.valueCompletion` becomes errors, as in own-executor.ts.
 */
export function createApolloExecutor(supergraph: LoadedSupergraph): PlanExecutor {
  const { apiSchema, schema, supergraphSchema } = supergraph;
  return {
    prepare: ({ document, operationName, plan, replaced }): PreparedPlan => {
      const operationContext = buildOperationContext({
        schema,
        operationDocument: document,
        ...(operationName === undefined ? {} : { operationName }),
      });
      const run: PreparedPlan = async (variables, fetch) => {
        // `metrics` must exist, because executeQueryPlan writes error paths into it.
        const requestContext = { request: { variables }, context: { fetch }, metrics: {} };
        const result = await executeQueryPlan(
          plan,
          SERVICES,
          requestContext as unknown as RequestContext,
          operationContext,
          supergraphSchema,
          apiSchema,
        );
        return reportMisfits(result as CompletedResult);
      };
      return replaced ? withClientNames(run, replaced) : run;
    },
  };
}

type CompletedResult = ExecutedOperation & {
  readonly extensions?: { readonly valueCompletion?: readonly GraphQLError[] };
};

const INVALID_TYPE = /^Invalid __typename found for object at/;

function reportMisfits({ extensions, data, errors = [] }: CompletedResult): ExecutedOperation {
  const misfits = (extensions?.valueCompletion ?? []).flatMap(
    ({ message, path = [] }): Misfit[] => {
      if (!INVALID_TYPE.test(message)) return [{ message, path }];
      // An object of an unknown type is null. This is an error only if its field is non-null.
      if (isPresent(data, path)) return [];
      return [
        { message: message.replace(INVALID_TYPE, 'Cannot return null for non-nullable'), path },
      ];
    },
  );
  const all = withCompletionErrors(errors, misfits);
  // The data is undefined if it cannot be shaped at all.
  return all ? { errors: all, data: data ?? null } : { data: data ?? null };
}

/** Whether the parent of a path's value is in the data. */
function isPresent(data: unknown, path: readonly (string | number)[]): boolean {
  let value = data;
  for (const key of path.slice(0, -1)) value = (value as Values | null | undefined)?.[key];
  return value !== null && value !== undefined;
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
