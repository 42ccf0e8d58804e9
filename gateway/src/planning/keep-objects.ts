import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  Kind,
  type SelectionNode,
  type SelectionSetNode,
  visit,
} from 'graphql';
import { fragmentsOf } from './flatten-mutation.ts';
import { isCondition } from './prune-conditions.ts';

/**
 * Adds `__typename` to objects whose selections all have conditions.
 *
 * If such an object is inside a selection that has a condition as well, Apollo's planner requests the object only if
 * the conditions of its fields hold too: it would be null instead of an object without fields.
 * @returns the document itself if it has no such object
 */
export function keepObjects(document: DocumentNode): DocumentNode {
  const fragments = fragmentsOf(document);
  return visit(document, {
    Field: {
      leave: (field): FieldNode | undefined => {
        const { selectionSet } = field;
        if (!selectionSet || !isConditional(selectionSet, fragments)) return undefined;
        const selections = [...selectionSet.selections, TYPENAME];
        return { ...field, selectionSet: { ...selectionSet, selections } };
      },
    },
  });
}

function isConditional(
  { selections }: SelectionSetNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
): boolean {
  return selections.every((one) => {
    if (one.directives?.some(isCondition)) return true;
    if (one.kind === Kind.FIELD) return false;
    const fragment = one.kind === Kind.INLINE_FRAGMENT ? one : fragments.get(one.name.value);
    return !fragment || isConditional(fragment.selectionSet, fragments);
  });
}

const TYPENAME: SelectionNode = {
  kind: Kind.FIELD,
  name: { kind: Kind.NAME, value: '__typename' },
};
