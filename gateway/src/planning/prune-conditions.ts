import {
  type DirectiveNode,
  type DocumentNode,
  Kind,
  type SelectionNode,
  type SelectionSetNode,
  separateOperations,
  type ValueNode,
  visit,
} from 'graphql';

/** Values of variables in `@skip` and `@include`, by the variables' names. */
export type ConditionValues = ReadonlyMap<string, boolean>;

/** Whether a directive is `@skip` or `@include`. */
export const isCondition = ({ name }: DirectiveNode): boolean =>
  name.value === 'skip' || name.value === 'include';

/** Returns the value of the argument `if` of a `@skip` or `@include`. */
export function conditionOf({ arguments: given = [] }: DirectiveNode): ValueNode | undefined {
  return given.find(({ name }) => name.value === 'if')?.value;
}

/**
 * Decides `@skip` and `@include` before planning: removes the selections that they exclude, and the directives of
 * the others. An object of which no selection is left has `__typename`.
 * @param values variables whose conditions are decided; conditions with other variables remain
 * @returns the document itself if no condition is decided
 */
export function pruneConditions(
  document: DocumentNode,
  operationName: string | undefined,
  values: ConditionValues,
): DocumentNode {
  /** Returns whether a selection has the directive's effect; undefined if the condition remains. */
  const decide = (directive: DirectiveNode): boolean | undefined => {
    if (!isCondition(directive)) return undefined;
    const condition = conditionOf(directive);
    const holds =
      condition?.kind === Kind.VARIABLE
        ? values.get(condition.name.value)
        : condition?.kind === Kind.BOOLEAN
          ? condition.value
          : undefined;
    return holds === undefined ? undefined : holds === (directive.name.value === 'include');
  };
  let isChanged = false;
  const prune = (one: SelectionNode): SelectionNode | null | undefined => {
    const { directives = [] } = one;
    if (directives.length === 0) return undefined;
    const decided = directives.map(decide);
    if (decided.every((isIncluded) => isIncluded === undefined)) return undefined;
    isChanged = true;
    if (decided.includes(false)) return null;
    return { ...one, directives: directives.filter((_, at) => decided[at] === undefined) };
  };
  const pruned: DocumentNode = visit(document, {
    Field: { enter: prune },
    FragmentSpread: { enter: prune },
    InlineFragment: {
      enter: prune,
      leave: ({ selectionSet }) => (selectionSet.selections.length === 0 ? null : undefined),
    },
    SelectionSet: {
      leave: (set, _key, parent) => {
        const isFragment = parent && 'kind' in parent && parent.kind === Kind.INLINE_FRAGMENT;
        return set.selections.length > 0 || isFragment ? undefined : withTypename(set);
      },
    },
  });
  if (!isChanged) return document;
  // The planner would read the fragments that are not spread any longer.
  const operations = separateOperations(pruned);
  return operations[operationName ?? Object.keys(operations)[0] ?? ''] ?? pruned;
}

function withTypename(set: SelectionSetNode): SelectionSetNode {
  const typename: SelectionNode = {
    kind: Kind.FIELD,
    name: { kind: Kind.NAME, value: '__typename' },
  };
  return { ...set, selections: [typename] };
}
