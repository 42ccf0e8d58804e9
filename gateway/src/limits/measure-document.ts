import {
  type DocumentNode,
  type FragmentDefinitionNode,
  Kind,
  type SelectionSetNode,
} from 'graphql';

/** Size of an operation. A fragment counts once for each of its spreads. */
export interface DocumentFigures {
  /** Number of levels of nested fields. */
  readonly depth: number;
  readonly aliases: number;
  readonly rootFields: number;
  readonly directives: number;
  /** Number of spreads of named fragments. */
  readonly fragments: number;
  /** Number of fields with a selection set. The time for planning is proportional to it. */
  readonly objectFields: number;
}

const NOTHING: DocumentFigures = {
  depth: 0,
  aliases: 0,
  rootFields: 0,
  directives: 0,
  fragments: 0,
  objectFields: 0,
};

/**
 * Measures a parsed document without a schema. It runs before validation, because validation of
 * large documents is slow. If a document contains several operations, their figures are added, but
 * only the largest depth counts. Each fragment is measured only once, because fragments that each
 * spread the next one twice would otherwise take exponential time. Validation rejects cycles of
 * fragments later.
 */
export function measureDocument({ definitions }: DocumentNode): DocumentFigures {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const one of definitions) {
    if (one.kind === Kind.FRAGMENT_DEFINITION) fragments.set(one.name.value, one);
  }
  const measured = new Map<string, DocumentFigures>();

  const ofFragment = (name: string): DocumentFigures => {
    const known = measured.get(name);
    if (known) return known;
    measured.set(name, NOTHING);
    const fragment = fragments.get(name);
    const figures = fragment ? ofSelections(fragment.selectionSet) : NOTHING;
    measured.set(name, figures);
    return figures;
  };

  /** Measures selections. Here, `rootFields` is the number of their top-level fields. */
  const ofSelections = ({ selections }: SelectionSetNode): DocumentFigures => {
    const sum = { ...NOTHING };
    for (const selection of selections) {
      sum.directives += selection.directives?.length ?? 0;
      let inner = NOTHING;
      if (selection.kind === Kind.FIELD) {
        inner = selection.selectionSet ? ofSelections(selection.selectionSet) : NOTHING;
        sum.depth = Math.max(sum.depth, 1 + inner.depth);
        sum.rootFields += 1;
        if (selection.selectionSet) sum.objectFields += 1;
        if (selection.alias) sum.aliases += 1;
      } else {
        const spread = selection.kind === Kind.FRAGMENT_SPREAD;
        inner = spread ? ofFragment(selection.name.value) : ofSelections(selection.selectionSet);
        sum.depth = Math.max(sum.depth, inner.depth);
        sum.rootFields += inner.rootFields;
        if (spread) sum.fragments += 1;
      }
      sum.aliases += inner.aliases;
      sum.directives += inner.directives;
      sum.fragments += inner.fragments;
      sum.objectFields += inner.objectFields;
    }
    return sum;
  };

  const total = { ...NOTHING };
  for (const definition of definitions) {
    if (definition.kind !== Kind.OPERATION_DEFINITION) continue;
    const figures = ofSelections(definition.selectionSet);
    total.depth = Math.max(total.depth, figures.depth);
    total.aliases += figures.aliases;
    total.rootFields += figures.rootFields;
    total.directives += figures.directives + directivesAround(definition);
    total.fragments += figures.fragments;
    total.objectFields += figures.objectFields;
  }
  for (const fragment of fragments.values()) total.directives += directivesAround(fragment);
  return total;
}

function directivesAround(definition: {
  readonly directives?: readonly unknown[] | undefined;
  readonly variableDefinitions?:
    | readonly { readonly directives?: readonly unknown[] | undefined }[]
    | undefined;
}): number {
  const ofVariables = (definition.variableDefinitions ?? []).map(
    ({ directives = [] }) => directives.length,
  );
  return ofVariables.reduce((sum, one) => sum + one, definition.directives?.length ?? 0);
}
