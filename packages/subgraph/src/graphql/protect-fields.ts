import type { Identity } from '@gudang/auth';
import { assertAuthorized, type Requirement } from '@gudang/auth';
import {
  type DirectiveNode,
  defaultFieldResolver,
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLSchema,
  isObjectType,
  valueFromASTUntyped,
} from 'graphql';

interface OperationContext {
  readonly identity: Identity;
}

/**
 * Enforces `@authenticated` and `@requiresScopes` in a subgraph, on fields and on types. The subgraph is
 * therefore also protected behind a gateway that does not support these directives.
 */
export function protectFields(schema: GraphQLSchema): void {
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || type.name.startsWith('__')) continue;
    const ofType = requirementsOf(type);
    for (const field of Object.values(type.getFields())) {
      const requirements = [...ofType, ...requirementsOf(field)];
      if (requirements.length > 0) protect(field, requirements);
    }
  }
}

function protect(
  field: GraphQLField<unknown, OperationContext>,
  requirements: readonly Requirement[],
): void {
  const { resolve = defaultFieldResolver, subscribe } = field;
  const check = ({ identity }: OperationContext): void => {
    for (const requirement of requirements) assertAuthorized(identity, requirement);
  };
  if (!subscribe) {
    field.resolve = (source, args, context, info) => {
      check(context);
      return resolve(source, args, context, info);
    };
    return;
  }
  field.subscribe = (source, args, context, info) => {
    try {
      check(context);
    } catch (error) {
      return failedStream(error);
    }
    return subscribe(source, args, context, info);
  };
}

/**
 * Returns a stream that fails with an error. graphql-ws sends the error of a stream as an `error`
 * message, but it would send an error that `subscribe` throws as an event.
 */
function failedStream(error: unknown): AsyncIterableIterator<never> {
  return {
    next: () => Promise.reject(error),
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

function requirementsOf(
  declared: GraphQLObjectType | GraphQLField<unknown, OperationContext>,
): Requirement[] {
  const extended = 'extensionASTNodes' in declared ? declared.extensionASTNodes : [];
  return [declared.astNode, ...extended].flatMap((node) =>
    (node?.directives ?? []).flatMap(requirementIn),
  );
}

function requirementIn({ name, arguments: given = [] }: DirectiveNode): Requirement[] {
  if (name.value === 'authenticated') return [{}];
  if (name.value !== 'requiresScopes') return [];
  const scopes = given.find((one) => one.name.value === 'scopes')?.value;
  return scopes ? [{ anyOf: valueFromASTUntyped(scopes) as string[][] }] : [];
}
