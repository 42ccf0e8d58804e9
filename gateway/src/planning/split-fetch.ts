import type { FetchNode, QueryPlanSelectionNode } from '@apollo/query-planner';
import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  Kind,
  type OperationDefinitionNode,
  parse,
  print,
  type SelectionNode,
  type SelectionSetNode,
  stripIgnoredCharacters,
  visit,
} from 'graphql';
import type { HiddenFields } from './hidden-fields.ts';
import type { RequiredVariants, Variants } from './required-variants.ts';

/** One part of a fetch: the fields that it selects, and the values that they require. */
interface Part {
  readonly fields: Set<FieldNode>;
  readonly variants: Map<string, ReadonlySet<string>>;
}

/**
 * Divides a fetch of entities if its fields require different values at the same place of a
 * representation, such as the price in two currencies.
 * @returns the fetch itself if it need not be divided
 */
export function splitFetch(
  node: FetchNode,
  hidden: HiddenFields,
  required: RequiredVariants,
): readonly FetchNode[] {
  const { requires = [], serviceName } = node;
  const disputed = findDisputed(requires, hidden);
  if (disputed.size === 0) return [node];
  const document = withoutFragments(parse(node.operation, { noLocation: true }));
  const parts: Part[] = [];
  for (const { field, types } of entityFields(document)) {
    const wanted = new Map<string, ReadonlySet<string>>();
    for (const type of types) {
      for (const [place, names] of required.ofField(serviceName, type, field.name.value)) {
        if (disputed.has(place)) wanted.set(place, names);
      }
    }
    let part = parts.find(({ variants }) => agrees(variants, wanted));
    if (!part) {
      part = { fields: new Set(), variants: new Map() };
      parts.push(part);
    }
    part.fields.add(field);
    for (const [place, names] of wanted) part.variants.set(place, names);
  }
  return parts.map(({ fields, variants }) => ({
    ...node,
    requires: keepVariants(requires, hidden, disputed, variants),
    ...restrict(document, fields, node.variableUsages),
  }));
}

function agrees(one: Variants, other: Variants): boolean {
  return [...other].every(([place, names]) => {
    const known = one.get(place) ?? names;
    return known.size === names.size && [...names].every((name) => known.has(name));
  });
}

/** Finds the places of a representation for which there are several values, with these. */
function findDisputed(
  requires: readonly QueryPlanSelectionNode[],
  hidden: HiddenFields,
): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, Set<string>>();
  walk(requires, hidden, (place, name) => {
    found.set(place, (found.get(place) ?? new Set()).add(name));
  });
  for (const [place, names] of found) if (names.size === 1) found.delete(place);
  return found;
}

function walk(
  selections: readonly QueryPlanSelectionNode[],
  hidden: HiddenFields,
  visitField: (place: string, name: string) => void,
  path = '',
): void {
  for (const one of selections) {
    if (one.kind === Kind.INLINE_FRAGMENT) walk(one.selections, hidden, visitField, path);
    else {
      const place = placeOf(one.name, path, hidden);
      visitField(place, one.name);
      walk(one.selections ?? [], hidden, visitField, place);
    }
  }
}

function placeOf(name: string, path: string, hidden: HiddenFields): string {
  return `${path}.${hidden.get(name)?.name ?? name}`;
}

/** Removes the values at disputed places that a part does not require. A field without arguments stays where
 * none is required. */
function keepVariants(
  selections: readonly QueryPlanSelectionNode[],
  hidden: HiddenFields,
  disputed: ReadonlyMap<string, unknown>,
  variants: Variants,
  path = '',
): QueryPlanSelectionNode[] {
  return selections.flatMap((one): QueryPlanSelectionNode[] => {
    const inner = (place: string) =>
      keepVariants(one.selections ?? [], hidden, disputed, variants, place);
    if (one.kind === Kind.INLINE_FRAGMENT) {
      const kept = inner(path);
      return kept.length > 0 ? [{ ...one, selections: kept }] : [];
    }
    const place = placeOf(one.name, path, hidden);
    if (disputed.has(place)) {
      const wanted = variants.get(place);
      if (wanted ? !wanted.has(one.name) : hidden.has(one.name)) return [];
    }
    if (!one.selections) return [one];
    const kept = inner(place);
    return kept.length > 0 ? [{ ...one, selections: kept }] : [];
  });
}

/** Returns the fields that an operation selects of its entities, with the types that may have them. */
function entityFields(document: DocumentNode) {
  const found: { readonly field: FieldNode; readonly types: readonly string[] }[] = [];
  const collect = ({ selections }: SelectionSetNode, types: readonly string[]): void => {
    for (const one of selections) {
      if (one.kind === Kind.FIELD) found.push({ field: one, types });
      else if (one.kind === Kind.INLINE_FRAGMENT) {
        const type = one.typeCondition?.name.value;
        collect(one.selectionSet, type === undefined ? types : [...types, type]);
      }
    }
  };
  for (const { selectionSet } of operationsIn(document)) {
    for (const root of selectionSet.selections) {
      if (root.kind === Kind.FIELD && root.selectionSet) collect(root.selectionSet, []);
    }
  }
  return found;
}

/** Replaces fragment spreads by inline fragments. */
function withoutFragments(document: DocumentNode): DocumentNode {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const one of document.definitions) {
    if (one.kind === Kind.FRAGMENT_DEFINITION) fragments.set(one.name.value, one);
  }
  const inline = (set: SelectionSetNode): SelectionSetNode =>
    visit(set, {
      FragmentSpread: ({ name, directives }) => {
        const fragment = fragments.get(name.value);
        if (!fragment) return undefined;
        const { typeCondition, selectionSet } = fragment;
        const node = { kind: Kind.INLINE_FRAGMENT, typeCondition, directives } as const;
        return { ...node, selectionSet: inline(selectionSet) };
      },
    });
  const definitions = operationsIn(document).map((one) => ({
    ...one,
    selectionSet: inline(one.selectionSet),
  }));
  return fragments.size === 0 ? document : { ...document, definitions };
}

function operationsIn({ definitions }: DocumentNode): readonly OperationDefinitionNode[] {
  return definitions.filter((one) => one.kind === Kind.OPERATION_DEFINITION);
}

/** Restricts an operation to some fields of its entities, and to the variables that these use. */
function restrict(
  document: DocumentNode,
  fields: ReadonlySet<FieldNode>,
  usages: readonly string[] = [],
): Pick<FetchNode, 'operation' | 'variableUsages'> {
  const keep = (set: SelectionSetNode): SelectionSetNode => ({
    ...set,
    selections: set.selections.flatMap((one): SelectionNode[] => {
      if (one.kind !== Kind.INLINE_FRAGMENT) {
        return one.kind === Kind.FIELD && !fields.has(one) ? [] : [one];
      }
      const selectionSet = keep(one.selectionSet);
      return selectionSet.selections.length > 0 ? [{ ...one, selectionSet }] : [];
    }),
  });
  const definitions = document.definitions.map((one) => {
    if (one.kind !== Kind.OPERATION_DEFINITION) return one;
    const selections = one.selectionSet.selections.map((root) =>
      root.kind === Kind.FIELD && root.selectionSet
        ? { ...root, selectionSet: keep(root.selectionSet) }
        : root,
    );
    return { ...one, selectionSet: { ...one.selectionSet, selections } };
  });
  const used = new Set<string>();
  visit(
    { kind: Kind.DOCUMENT, definitions },
    {
      VariableDefinition: () => false,
      Variable: ({ name }) => void used.add(name.value),
    },
  );
  const restricted = definitions.map((one) =>
    one.kind === Kind.OPERATION_DEFINITION
      ? {
          ...one,
          variableDefinitions: one.variableDefinitions?.filter(({ variable }) =>
            used.has(variable.name.value),
          ),
        }
      : one,
  );
  return {
    operation: stripIgnoredCharacters(
      print({ kind: Kind.DOCUMENT, definitions: restricted } as DocumentNode),
    ),
    variableUsages: usages.filter((name) => used.has(name)),
  };
}
