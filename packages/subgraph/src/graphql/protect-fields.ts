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

interface Asking {
  readonly identity: Identity;
}

/**
 * Makes a subgraph's schema hold what its own `@authenticated` and `@requiresScopes` say, on fields
 * and on whole types, for whoever asks it and whichever way they came: a gateway need not be one that
 * knows these directives.
 */
export function protectFields(schema: GraphQLSchema): void {
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || type.name.startsWith('__')) continue;
    const ofType = requirementsOf(type);
    for (const field of Object.values(type.getFields())) {
      const asked = [...ofType, ...requirementsOf(field)];
      if (asked.length > 0) protect(field, asked);
    }
  }
}

function protect(field: GraphQLField<unknown, Asking>, asked: readonly Requirement[]): void {
  const { resolve = defaultFieldResolver, subscribe } = field;
  const check = ({ identity }: Asking): void => {
    for (const one of asked) assertAuthorized(identity, one);
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

/** graphql-ws sends what a stream throws as its error; thrown before, it would be an event. */
function failedStream(error: unknown): AsyncIterableIterator<never> {
  return {
    next: () => Promise.reject(error),
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

function requirementsOf(
  declared: GraphQLObjectType | GraphQLField<unknown, Asking>,
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
