import {
  type DocumentNode,
  type ExecutionResult,
  GraphQLError,
  type GraphQLObjectType,
  type GraphQLSchema,
  getVariableValues,
  type OperationDefinitionNode,
} from 'graphql';
import {
  conditionVariables,
  fragmentsOf,
  type OperationParts,
  type Variables,
} from './collect-fields.ts';
import { Execution } from './execution.ts';
import { compileSelection, type Selection } from './selection.ts';

/** Maximum number of variants of an operation, one for each set of values of its conditions. */
const MAX_VARIANTS = 16;
/** Maximum number of errors of variables, as in graphql-js. */
const MAX_COERCION_ERRORS = 50;

/** An operation whose fields were collected once. It can be executed any number of times. */
export interface CompiledOperation {
  readonly document: DocumentNode;
  readonly operation: OperationDefinitionNode;
  /**
   * Coerces the variables of an execution.
   * @returns the execution, or the errors of the variables
   */
  readonly bind: (variables: Variables | null | undefined) => BoundOperation | BindErrors;
}

export interface BindErrors {
  readonly errors: readonly GraphQLError[];
}

/** A compiled operation with its variables. */
export interface BoundOperation {
  readonly errors?: undefined;
  /** Executes the operation; never rejects. A promise only if a resolver returns one. */
  readonly execute: (
    rootValue: unknown,
    contextValue: unknown,
  ) => ExecutionResult | Promise<ExecutionResult>;
}

/**
 * Compiles a valid operation. Its answers are those of graphql-js' `execute`, but the fields of each
 * selection are collected once instead of for each request, values that need no resolver are read without
 * one, and arguments without variables are read once. A list of 50 orders takes a third of the CPU time.
 */
export function compileOperation(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
): CompiledOperation {
  const parts: OperationParts = { schema, operation, fragments: fragmentsOf(document) };
  const rootType = schema.getRootType(operation.operation);
  const conditions = conditionVariables(operation, parts.fragments);
  const definitions = operation.variableDefinitions ?? [];
  const variants = new Map<string, Selection>();

  const selectionFor = (type: GraphQLObjectType, variables: Variables): Selection => {
    const key = conditions.map((name) => String(variables[name])).join();
    const known = variants.get(key);
    if (known) return known;
    const selection = compileSelection(parts, variables, type, [operation.selectionSet]);
    if (variants.size < MAX_VARIANTS) variants.set(key, selection);
    return selection;
  };

  return {
    document,
    operation,
    bind: (given) => {
      const { errors, coerced } = getVariableValues(schema, definitions, given ?? {}, {
        maxErrors: MAX_COERCION_ERRORS,
      });
      if (errors) return { errors };
      return {
        execute: (rootValue, contextValue) => {
          const execution = new Execution(parts, coerced, rootValue, contextValue);
          return execution.run(() => {
            if (!rootType) throw notConfigured(operation);
            return selectionFor(rootType, coerced);
          });
        },
      };
    },
  };
}

function notConfigured(operation: OperationDefinitionNode): GraphQLError {
  return new GraphQLError(`Schema is not configured to execute ${operation.operation} operation.`, {
    nodes: operation,
  });
}
