import {
  type DirectiveNode,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  getOperationAST,
  Kind,
  OperationTypeNode,
  print,
  type SelectionNode,
  type SelectionSetNode,
  separateOperations,
} from 'graphql';

/**
 * Replaces fragments at the root of a mutation by their fields, and merges repeated fields, because their order is
 * the order of execution (GraphQL, 6.2.2). Apollo's planner changes the order of both.
 * @returns the document itself if it is no mutation, or has neither
 */
export function flattenMutation(
  document: DocumentNode,
  operationName: string | undefined,
): DocumentNode {
  const operation = getOperationAST(document, operationName);
  if (operation?.operation !== OperationTypeNode.MUTATION) return document;
  const { selections } = operation.selectionSet;
  const names = new Set(selections.map((one) => one.kind === Kind.FIELD && responseName(one)));
  if (!names.has(false) && names.size === selections.length) return document;
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const one of document.definitions) {
    if (one.kind === Kind.FRAGMENT_DEFINITION) fragments.set(one.name.value, one);
  }
  const flatten = (
    { selections }: SelectionSetNode,
    conditions: readonly DirectiveNode[],
  ): SelectionNode[] =>
    selections.flatMap((one) => {
      if (one.kind === Kind.FIELD) return [addConditions(one, conditions)];
      const fragment = one.kind === Kind.INLINE_FRAGMENT ? one : fragments.get(one.name.value);
      const all = [...conditions, ...(one.directives ?? [])];
      return fragment ? flatten(fragment.selectionSet, all) : [];
    });
  const selectionSet: SelectionSetNode = {
    kind: Kind.SELECTION_SET,
    selections: mergeFields(flatten(operation.selectionSet, [])),
  };
  const flattened: DocumentNode = {
    ...document,
    definitions: document.definitions.map((one) =>
      one === operation ? { ...operation, selectionSet } : one,
    ),
  };
  // The planner would use a fragment again that selects the same fields in another order.
  return separateOperations(flattened)[operation.name?.value ?? ''] ?? flattened;
}

function responseName({ alias, name }: FieldNode): string {
  return (alias ?? name).value;
}

/** Merges fields that have the same response name and the same conditions into the first of them. */
function mergeFields(selections: readonly SelectionNode[]): SelectionNode[] {
  const merged = new Map<string, SelectionNode>();
  for (const [index, one] of selections.entries()) {
    const key =
      one.kind === Kind.FIELD
        ? [responseName(one), ...(one.directives ?? []).map(print).sort()].join(' ')
        : String(index);
    const first = merged.get(key);
    if (first?.kind === Kind.FIELD && one.kind === Kind.FIELD) {
      const both = [first, one].flatMap(({ selectionSet }) => selectionSet?.selections ?? []);
      if (both.length === 0) continue;
      const selectionSet: SelectionSetNode = { kind: Kind.SELECTION_SET, selections: both };
      merged.set(key, { ...first, selectionSet });
    } else merged.set(key, one);
  }
  return [...merged.values()];
}

/** Adds `@skip` and `@include` of fragments to a field. A field can have each of them only once. */
function addConditions(field: FieldNode, conditions: readonly DirectiveNode[]): SelectionNode {
  let selection: SelectionNode = field;
  for (const condition of conditions) {
    const own: readonly DirectiveNode[] = selection.directives ?? [];
    if (own.some((one) => print(one) === print(condition))) continue;
    if (own.every(({ name }) => name.value !== condition.name.value)) {
      selection = { ...selection, directives: [...own, condition] };
    } else {
      const selectionSet: SelectionSetNode = { kind: Kind.SELECTION_SET, selections: [selection] };
      selection = { kind: Kind.INLINE_FRAGMENT, directives: [condition], selectionSet };
    }
  }
  return selection;
}
