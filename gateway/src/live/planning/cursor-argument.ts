import {
  type DefinitionNode,
  type DocumentNode,
  type FieldNode,
  type FragmentSpreadNode,
  type InlineFragmentNode,
  Kind,
  type SelectionSetNode,
  type ValueNode,
  visit,
} from 'graphql';

/** Returns the root field of a subscription's document; undefined if there is none. */
export function rootField(document: DocumentNode): FieldNode | undefined {
  return findRoot(document, operationOf(document)?.selectionSet);
}

/**
 * Removes the root field's cursor argument, and the variables that only this argument used. The
 * remaining document is equal for clients at different positions of a stream.
 */
export function withoutCursor(
  document: DocumentNode,
  root: FieldNode,
  argument: string,
): { document: DocumentNode; cursor: ValueNode | undefined } {
  const cursor = root.arguments?.find(({ name }) => name.value === argument)?.value;
  if (!cursor) return { document, cursor };
  const bare = visit(document, {
    Field: (field) =>
      field === root
        ? { ...field, arguments: field.arguments?.filter(({ name }) => name.value !== argument) }
        : undefined,
  });
  return { document: withoutUnusedVariables(bare), cursor };
}

function withoutUnusedVariables(document: DocumentNode): DocumentNode {
  const used = new Set<string>();
  visit(document, {
    VariableDefinition: () => false,
    Variable: ({ name }) => void used.add(name.value),
  });
  return {
    ...document,
    definitions: document.definitions.map(
      (definition): DefinitionNode =>
        definition.kind === Kind.OPERATION_DEFINITION
          ? {
              ...definition,
              variableDefinitions: (definition.variableDefinitions ?? []).filter(({ variable }) =>
                used.has(variable.name.value),
              ),
            }
          : definition,
    ),
  };
}

function operationOf(document: DocumentNode) {
  return document.definitions.find((definition) => definition.kind === Kind.OPERATION_DEFINITION);
}

function findRoot(
  document: DocumentNode,
  set: SelectionSetNode | undefined,
): FieldNode | undefined {
  for (const selection of set?.selections ?? []) {
    if (selection.kind === Kind.FIELD) return selection;
    const found = findRoot(document, innerOf(document, selection));
    if (found) return found;
  }
  return undefined;
}

function innerOf(
  document: DocumentNode,
  spread: InlineFragmentNode | FragmentSpreadNode,
): SelectionSetNode | undefined {
  if (spread.kind === Kind.INLINE_FRAGMENT) return spread.selectionSet;
  for (const definition of document.definitions) {
    if (definition.kind !== Kind.FRAGMENT_DEFINITION) continue;
    if (definition.name.value === spread.name.value) return definition.selectionSet;
  }
  return undefined;
}
