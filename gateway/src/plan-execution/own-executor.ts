import '../quiet-apollo.ts';
import { type CompositeType, operationFromDocument } from '@apollo/federation-internals';
import { GraphQLError } from 'graphql';
import type { LoadedSupergraph } from '../supergraph.ts';
import { compileSelection, selectFields } from './compile-selection.ts';
import { withCompletionErrors } from './completion-errors.ts';
import { DeferredParts, type PartShaping } from './deferred-parts.ts';
import { readInterfaceObjectSubgraphs } from './known-types.ts';
import type { Data } from './merge-data.ts';
import type {
  FetchFromSubgraph,
  PlanExecutor,
  PlannedOperation,
  PreparedParts,
  PreparedPlan,
  Values,
} from './plan-executor.ts';
import { toPlanVariables } from './replaced-names.ts';
import { type Execution, isRunnable, runPlan } from './run-plan.ts';
import { createMutationGuard, findSerialMutations } from './serial-mutations.ts';
import { type DeferredFragment, shapeFragment, shapeResult } from './shape-result.ts';

type Supergraph = Pick<LoadedSupergraph, 'apiSchema' | 'model' | 'supergraphSchema'>;

/** Runs operations in one part, or in several. */
export interface OwnExecutor extends PlanExecutor {
  /**
   * Prepares an operation whose deferred fragments follow its result.
   * @param labelOf returns the client's label of a deferred fragment
   * @returns undefined for introspection, which cannot be deferred
   */
  readonly prepareInParts: (
    planned: PlannedOperation,
    labelOf: PartShaping['labelOf'],
  ) => PreparedParts | undefined;
}

/**
 * Creates an executor that returns the same results as @apollo/gateway's executor, but compiles each
 * operation only once. Apollo's executor reads the operation again for each request, and shaping the
 * result takes a third of the request's CPU time. The results differ in four cases:
 * - After a failed root mutation whose type is non-null, no later mutation runs (GraphQL, 6.2.2).
 * - A non-null value that is null leads to an error, and `extensions.valueCompletion` does not exist.
 * - If one subgraph names an object's type and another one an interface, the object's type is kept.
 * - A fragment applies to an object without `__typename` inside a fragment of a wider type.
 * @param fallback runs operations that this executor does not support: introspection
 */
export function createOwnExecutor(supergraph: Supergraph, fallback: PlanExecutor): OwnExecutor {
  const interfaceObjectsOf = readInterfaceObjectSubgraphs(supergraph);
  return {
    prepare: (planned): PreparedPlan => {
      const { node } = planned.plan;
      if (node?.kind === 'Subscription' || !isRunnable(node)) return fallback.prepare(planned);
      const compiled = compile({ ...supergraph, interfaceObjectsOf }, planned);
      if (!compiled) return fallback.prepare(planned);
      const { begin, shape } = compiled;
      return async (given, fetch) => {
        const execution: Execution = { ...begin(given, fetch), errors: [] };
        const input = await runPlan(execution, node);
        try {
          const { data, misfits } = shape(execution.variables, input);
          // All errors are GraphQLErrors, except those about an answer that is not valid GraphQL.
          const given = execution.errors as GraphQLError[];
          if (given.length === 0 && misfits.length === 0) return { data };
          const errors = withCompletionErrors(given, misfits);
          return errors ? { errors, data } : { data };
        } catch (error) {
          return { errors: [toGraphQLError(error as Error)], data: null };
        }
      };
    },
    prepareInParts: (planned, labelOf): PreparedParts | undefined => {
      const { node } = planned.plan;
      const compiled = compile({ ...supergraph, interfaceObjectsOf }, planned);
      if (!compiled || node?.kind === 'Subscription') return undefined;
      const { begin, isMutation, shape, shapeFragment } = compiled;
      return (given, fetch, sink) => {
        const execution = begin(given, fetch);
        const { variables } = execution;
        const shaping: PartShaping = {
          isMutation,
          whole: (input, deferred) => shape(variables, input, { deferred }),
          fragment: (fragment, deferred) => shapeFragment(variables, fragment, deferred),
          labelOf,
        };
        return new DeferredParts(execution, node, shaping, sink).run(node);
      };
    },
  };
}

/** Compiles an operation. Returns undefined for introspection. */
function compile(
  {
    apiSchema,
    supergraphSchema: schema,
    interfaceObjectsOf,
  }: Supergraph & Pick<Execution, 'interfaceObjectsOf'>,
  { document, operationName, plan, replaced }: PlannedOperation,
) {
  const operation = operationFromDocument(apiSchema, document, {
    ...(operationName ? { operationName } : {}),
    validate: false,
  });
  const selection = compileSelection(operation, replaced);
  if (!selection) return undefined;
  const { variableDefinitions: definitions, rootKind } = operation;
  const defaults: Values = operation.collectDefaultedVariableValues();
  const root = apiSchema.schemaDefinition.rootType(rootKind) as CompositeType;
  const withDefaults = (values: Values | undefined): Values =>
    Object.assign(Object.create(null), defaults, values);
  const mutations =
    rootKind === 'mutation' && plan.node?.kind !== 'Subscription'
      ? findSerialMutations(plan.node)
      : undefined;

  const shape = (
    values: Values | undefined,
    input: Data,
    { only, deferred }: { only?: ReadonlySet<string>; deferred?: DeferredFragment[] } = {},
  ) =>
    shapeResult({
      selection: only ? selectFields(selection, only) : selection,
      root,
      schema: apiSchema,
      variables: withDefaults(values),
      input,
      deferred,
    });
  return {
    begin: (given: Values | undefined, fetch: FetchFromSubgraph): Omit<Execution, 'errors'> => {
      const variables = replaced ? toPlanVariables(given, replaced) : given;
      const execution = { schema, variables, definitions, fetch, replaced, interfaceObjectsOf };
      if (!mutations) return execution;
      // Fields of deferred fragments cannot make the data null.
      const mayMutate = createMutationGuard(mutations, (only, data) =>
        isNulled(() => shape(variables, data, { only, deferred: [] })),
      );
      return { ...execution, mayMutate };
    },
    isMutation: rootKind === 'mutation',
    shape,
    shapeFragment: (
      values: Values | undefined,
      fragment: DeferredFragment,
      deferred: DeferredFragment[],
    ) => shapeFragment(fragment, apiSchema, withDefaults(values), deferred),
  };
}

/** Whether the fields of a result leave no data. */
function isNulled(shape: () => { readonly data: Values | null }): boolean {
  try {
    return shape().data === null;
  } catch {
    // The subgraph's answer has the wrong structure, so the whole operation fails.
    return true;
  }
}

function toGraphQLError(error: Error): GraphQLError {
  if (error instanceof GraphQLError) return error;
  return new GraphQLError(error.message, { originalError: error });
}
