import '../quiet-apollo.ts';
import type { executeQueryPlan, GraphQLDataSource } from '@apollo/gateway';
import { execute, type GraphQLError } from 'graphql';
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

/** Loads the executor's own files, because the index of @apollo/gateway takes 10 MiB of memory. */
async function loadApollo() {
  const [{ buildOperationContext }, { executeQueryPlan }] = await Promise.all([
    // biome-ignore lint/style/noRestrictedImports: a package of Apollo, not this gateway.
    import('@apollo/gateway/dist/operationContext.js'),
    // biome-ignore lint/style/noRestrictedImports: a package of Apollo, not this gateway.
    import('@apollo/gateway/dist/executeQueryPlan.js'),
  ]);
  return { buildOperationContext, executeQueryPlan };
}

/**
 * Creates the executor of @apollo/gateway, which is loaded when the first plan runs. It supports all plans
 * except those of subscriptions. Its `extensions.valueCompletion` becomes errors, as in own-executor.ts.
 * graphql-js runs operations without a plan, which select only introspection fields.
 */
export function createApolloExecutor(supergraph: LoadedSupergraph): PlanExecutor {
  const { apiSchema, schema, supergraphSchema } = supergraph;
  return {
    prepare: ({ document, operationName, plan, replaced }): PreparedPlan => {
      const named = operationName === undefined ? {} : { operationName };
      const introspect: PreparedPlan = async (variables) => {
        const { data = null, errors } = await execute({
          schema,
          document,
          ...named,
          variableValues: variables,
        });
        return errors ? { data, errors } : { data };
      };
      let loading: ReturnType<typeof load> | undefined;
      const load = async () => {
        const { buildOperationContext, executeQueryPlan } = await loadApollo();
        const context = buildOperationContext({ schema, operationDocument: document, ...named });
        return { executeQueryPlan, context };
      };
      const runPlan: PreparedPlan = async (variables, fetch) => {
        loading ??= load();
        const { executeQueryPlan, context } = await loading;
        // `metrics` must exist, because executeQueryPlan writes error paths into it.
        const requestContext = { request: { variables }, context: { fetch }, metrics: {} };
        const result = await executeQueryPlan(
          plan,
          SERVICES,
          requestContext as unknown as RequestContext,
          context,
          supergraphSchema,
          apiSchema,
        );
        return reportMisfits(result as CompletedResult);
      };
      const run = plan.node ? runPlan : introspect;
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
