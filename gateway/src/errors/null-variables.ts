import {
  type DirectiveNode,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLArgument,
  GraphQLError,
  type GraphQLNamedType,
  type GraphQLSchema,
  getArgumentValues,
  getNamedType,
  isInterfaceType,
  isNonNullType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql';

interface Parsed {
  readonly document: DocumentNode;
  readonly operation: OperationDefinitionNode;
}

type Values = Readonly<Record<string, unknown>>;

/** Maximum number of errors about null in one response. */
const MAX_ERRORS = 10;

/**
 * Creates the check for null in variables of nullable types that an operation uses where null is not
 * allowed. Validation permits such a use if the variable or the place has a default value, because
 * the default replaces a missing value, but it does not replace null. graphql-js would find the error
 * only during execution, in each subgraph.
 * @returns undefined if the operation has no such variable
 */
export function createNullCheck(
  schema: GraphQLSchema,
  parsed: Parsed,
): ((coerced: Values) => readonly GraphQLError[]) | undefined {
  const names = findIntolerant(schema, parsed);
  if (names.length === 0) return undefined;
  return (coerced) =>
    names.some((name) => coerced[name] === null) ? findNulls(schema, parsed, coerced) : [];
}

/** Finds the variables of nullable types that are used where null is not allowed. */
function findIntolerant(schema: GraphQLSchema, { document, operation }: Parsed): string[] {
  const nullable = new Set(
    (operation.variableDefinitions ?? []).flatMap(({ variable, type }) =>
      type.kind === Kind.NON_NULL_TYPE ? [] : [variable.name.value],
    ),
  );
  if (nullable.size === 0) return [];
  const found = new Set<string>();
  const types = new TypeInfo(schema);
  visit(
    document,
    visitWithTypeInfo(types, {
      VariableDefinition: () => false,
      Variable: ({ name: { value: name } }) => {
        if (nullable.has(name) && isNonNullType(types.getInputType())) found.add(name);
      },
    }),
  );
  return [...found];
}

/** Finds the arguments of executed fields and directives that graphql-js would reject. */
function findNulls(
  schema: GraphQLSchema,
  { document, operation }: Parsed,
  coerced: Values,
): readonly GraphQLError[] {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const one of document.definitions) {
    if (one.kind === Kind.FRAGMENT_DEFINITION) fragments.set(one.name.value, one);
  }
  const errors: GraphQLError[] = [];

  const check = (args: readonly GraphQLArgument[], node: FieldNode | DirectiveNode): void => {
    for (const argument of args) {
      try {
        getArgumentValues({ args: [argument] } as never, node, { ...coerced });
      } catch (error) {
        if (!(error instanceof GraphQLError)) throw error;
        error.extensions['code'] = 'BAD_USER_INPUT';
        error.extensions['argument'] = argument.name;
        if (errors.length < MAX_ERRORS) errors.push(error);
      }
    }
  };
  const isExcluded = (directives: readonly DirectiveNode[] = []): boolean =>
    directives.some((node) => {
      const name = node.name.value;
      if (name !== 'skip' && name !== 'include' && name !== 'defer') return false;
      check(schema.getDirective(name)?.args ?? [], node);
      if (name === 'defer') return false;
      const value = node.arguments?.[0]?.value;
      const holds =
        value?.kind === Kind.VARIABLE
          ? coerced[value.name.value]
          : value?.kind === Kind.BOOLEAN && value.value;
      return holds === (name === 'skip');
    });
  const walk = (type: GraphQLNamedType | undefined, { selections }: SelectionSetNode): void => {
    for (const one of selections) {
      if (isExcluded(one.directives)) continue;
      if (one.kind === Kind.FIELD) {
        const fields = isObjectType(type) || isInterfaceType(type) ? type.getFields() : {};
        const field = fields[one.name.value];
        if (!field) continue;
        check(field.args, one);
        if (one.selectionSet) walk(getNamedType(field.type), one.selectionSet);
      } else if (one.kind === Kind.INLINE_FRAGMENT) {
        const on = one.typeCondition;
        walk(on ? schema.getType(on.name.value) : type, one.selectionSet);
      } else {
        const fragment = fragments.get(one.name.value);
        // Each fragment is walked once, because fragments may spread each other many times.
        fragments.delete(one.name.value);
        if (fragment)
          walk(schema.getType(fragment.typeCondition.name.value), fragment.selectionSet);
      }
    }
  };
  walk(schema.getRootType(operation.operation) ?? undefined, operation.selectionSet);
  return errors;
}
