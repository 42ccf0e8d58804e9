import {
  type DirectiveNode,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  getOperationAST,
  type InlineFragmentNode,
  Kind,
  type OperationDefinitionNode,
  OperationTypeNode,
  print,
  type SelectionNode,
  type SelectionSetNode,
  separateOperations,
} from 'graphql';
import { PlanningError } from '../errors/planning-error.ts';
import { conditionOf, isCondition } from './prune-conditions.ts';

/**
 * Replaces fragments at the root of a mutation by their fields, and merges repeated fields, because their order is
 * the order of execution (GraphQL, 6.2.2). Apollo's planner changes the order of both.
 * @returns the document itself if it is no mutation, or has neither
 * @throws {PlanningError} if the order of repeated fields depends on conditions
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
  const selectionSet: SelectionSetNode = {
    kind: Kind.SELECTION_SET,
    selections: mergeFields(rootFieldsOf(document, operation)),
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

/**
 * Finds the variables of conditions that decide which one of repeated fields of a mutation comes first. There are
 * none if the fields differ.
 */
export function findOrderingVariables(
  document: DocumentNode,
  operation: OperationDefinitionNode,
): string[] {
  if (operation.operation !== OperationTypeNode.MUTATION) return [];
  const fields = rootFieldsOf(document, operation);
  if (new Set(fields.map(({ field }) => responseName(field))).size === fields.length) return [];
  return fields.flatMap(({ conditions }) =>
    conditions
      .map(conditionOf)
      .flatMap((one) => (one?.kind === Kind.VARIABLE ? one.name.value : [])),
  );
}

/** Returns the definitions of a document's fragments, by name. */
export function fragmentsOf(document: DocumentNode): ReadonlyMap<string, FragmentDefinitionNode> {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const one of document.definitions) {
    if (one.kind === Kind.FRAGMENT_DEFINITION) fragments.set(one.name.value, one);
  }
  return fragments;
}

function responseName({ alias, name }: FieldNode): string {
  return (alias ?? name).value;
}

/** A field at the root, and the conditions of the field and of the fragments around it. */
interface RootField {
  readonly field: FieldNode;
  readonly conditions: readonly DirectiveNode[];
}

/** Returns the fields at the root, also those in fragments, in their order. */
function rootFieldsOf(
  document: DocumentNode,
  { selectionSet }: OperationDefinitionNode,
): RootField[] {
  const fragments = fragmentsOf(document);
  const flatten = (
    { selections }: SelectionSetNode,
    around: readonly DirectiveNode[],
  ): RootField[] =>
    selections.flatMap((one) => {
      const conditions = [...around, ...(one.directives ?? []).filter(isCondition)];
      if (one.kind === Kind.FIELD) return [{ field: one, conditions }];
      const fragment = one.kind === Kind.INLINE_FRAGMENT ? one : fragments.get(one.name.value);
      return fragment ? flatten(fragment.selectionSet, conditions) : [];
    });
  return flatten(selectionSet, []);
}

/**
 * Merges fields that have the same response name into the first of them, which is executed once.
 * @throws {PlanningError} if the conditions decide which of them is the first one
 */
function mergeFields(fields: readonly RootField[]): SelectionNode[] {
  const groups = new Map<string, RootField[]>();
  for (const one of fields) {
    const name = responseName(one.field);
    groups.set(name, [...(groups.get(name) ?? []), one]);
  }
  return [...groups].map(([name, group]) => mergeGroup(name, group));
}

function mergeGroup(name: string, group: readonly RootField[]): SelectionNode {
  const [{ field, conditions } = { field: undefined, conditions: [] }] = group;
  if (!field) throw new Error(`no field has the name ${name}`);
  const isEqual = group.every((one) => keyOf(one.conditions) === keyOf(conditions));
  if (!isEqual && conditions.length > 0) {
    throw new PlanningError(
      `the mutation ${name} is selected several times with different conditions`,
    );
  }
  const selections = group.flatMap((one): readonly SelectionNode[] => {
    const { selectionSet } = one.field;
    if (!selectionSet || isEqual || one.conditions.length === 0)
      return selectionSet?.selections ?? [];
    return [addConditions({ kind: Kind.INLINE_FRAGMENT, selectionSet }, one.conditions)];
  });
  const merged: FieldNode =
    selections.length === 0
      ? field
      : { ...field, selectionSet: { kind: Kind.SELECTION_SET, selections } };
  return addConditions({ ...merged, directives: othersOf(field) }, conditions);
}

const keyOf = (conditions: readonly DirectiveNode[]): string =>
  [...new Set(conditions.map(print))].sort().join(' ');

const othersOf = ({ directives = [] }: FieldNode): DirectiveNode[] =>
  directives.filter((one) => !isCondition(one));

/** Adds `@skip` and `@include` to a selection. A selection can have each of them only once. */
function addConditions(
  plain: FieldNode | InlineFragmentNode,
  conditions: readonly DirectiveNode[],
): SelectionNode {
  let selection: FieldNode | InlineFragmentNode = plain;
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
