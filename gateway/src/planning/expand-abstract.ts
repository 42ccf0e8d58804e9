import {
  type DocumentNode,
  type FragmentDefinitionNode,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isInterfaceType,
  isObjectType,
  Kind,
  print,
  type SelectionNode,
  type SelectionSetNode,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql';

/** Maximum number of selections in an expanded operation. */
const MAX_SELECTIONS = 10_000;

/**
 * Writes each selection of an interface or union once for each of its types, and fragments in place of their
 * spreads. Where no selection is left, such as in `book { id @skip(if: true) }`, it selects `__typename`. The
 * planner finds plans for some operations only in this form.
 * @returns undefined if the operation would become too large, or a deferred fragment would be written twice: plans name
 * fragments by their labels
 */
export function expandAbstract(
  document: DocumentNode,
  schema: GraphQLSchema,
): DocumentNode | undefined {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const one of document.definitions) {
    if (one.kind === Kind.FRAGMENT_DEFINITION) fragments.set(one.name.value, one);
  }
  let count = 0;
  const deferred = new Set<string>();
  let isDeferredTwice = false;
  const readLabels = ({ directives = [] }: SelectionNode): void => {
    for (const one of directives) {
      if (one.name.value !== 'defer') continue;
      const text = print(one);
      isDeferredTwice ||= deferred.has(text);
      deferred.add(text);
    }
  };

  const expand = (set: SelectionSetNode, type: GraphQLNamedType | undefined): SelectionSetNode => {
    if (!isAbstractType(type)) return { ...set, selections: expandEach(set, type) };
    const selections = schema.getPossibleTypes(type).map((possible) => onType(possible, set));
    return { ...set, selections: selections.length > 0 ? selections : set.selections };
  };
  const onType = (type: GraphQLNamedType, set: SelectionSetNode): SelectionNode => ({
    kind: Kind.INLINE_FRAGMENT,
    typeCondition: { kind: Kind.NAMED_TYPE, name: { kind: Kind.NAME, value: type.name } },
    selectionSet: { ...set, selections: expandEach(set, type) },
  });
  /** Expands the selections of a type. Fragments for other types leave a selection without effect. */
  const expandEach = (
    { selections }: SelectionSetNode,
    type: GraphQLNamedType | undefined,
  ): readonly SelectionNode[] => {
    const expanded = selections.flatMap((one): SelectionNode[] => {
      count += 1;
      if (count > MAX_SELECTIONS || isExcluded(one)) return [];
      if (one.kind === Kind.FIELD) {
        const fields = isObjectType(type) || isInterfaceType(type) ? type.getFields() : {};
        const inner = getNamedType(fields[one.name.value]?.type);
        const selectionSet = one.selectionSet && inner && expand(one.selectionSet, inner);
        return [selectionSet ? { ...one, selectionSet } : one];
      }
      const fragment = one.kind === Kind.INLINE_FRAGMENT ? one : fragments.get(one.name.value);
      const on = fragment?.typeCondition && schema.getType(fragment.typeCondition.name.value);
      const applies =
        !on ||
        on === type ||
        (isAbstractType(on) && isObjectType(type) && schema.isSubType(on, type));
      if (!fragment || !applies) return [];
      readLabels(one);
      const inner = {
        ...fragment.selectionSet,
        selections: expandEach(fragment.selectionSet, type),
      };
      return [
        { kind: Kind.INLINE_FRAGMENT, directives: one.directives ?? [], selectionSet: inner },
      ];
    });
    return expanded.length > 0 ? expanded : [TYPENAME];
  };

  const definitions = document.definitions.flatMap((one) => {
    if (one.kind !== Kind.OPERATION_DEFINITION) return [];
    const root = schema.getRootType(one.operation) ?? undefined;
    return [{ ...one, selectionSet: expand(one.selectionSet, root) }];
  });
  return count > MAX_SELECTIONS || isDeferredTwice ? undefined : { ...document, definitions };
}

/** Whether an operation selects fields of interfaces. */
export function hasInterfaceFields(document: DocumentNode, schema: GraphQLSchema): boolean {
  const info = new TypeInfo(schema);
  let found = false;
  visit(
    document,
    visitWithTypeInfo(info, {
      Field: ({ name }) => {
        found ||= isInterfaceType(info.getParentType()) && name.value !== '__typename';
      },
    }),
  );
  return found;
}

/** Whether a constant `@skip` or `@include` excludes a selection. */
function isExcluded({ directives = [] }: SelectionNode): boolean {
  return directives.some(({ name, arguments: given = [] }) => {
    const value = given[0]?.value;
    if (value?.kind !== Kind.BOOLEAN) return false;
    return name.value === 'skip' ? value.value : name.value === 'include' && !value.value;
  });
}

const TYPENAME: SelectionNode = {
  kind: Kind.FIELD,
  name: { kind: Kind.NAME, value: '__typename' },
};
