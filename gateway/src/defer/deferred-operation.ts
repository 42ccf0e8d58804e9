import {
  type DirectiveNode,
  type DocumentNode,
  type FragmentDefinitionNode,
  type FragmentSpreadNode,
  type InlineFragmentNode,
  Kind,
  type OperationDefinitionNode,
  type SelectionNode,
  type SelectionSetNode,
  separateOperations,
  visit,
} from 'graphql';
import type { ParsedOperation } from '../limits/operation-parser.ts';

const DEFER = 'defer';

/** Names of the deferred fragments in the planned document, and the client's labels for them. */
export type DeferLabels = ReadonlyMap<string, string | undefined>;

/** An operation in which each `@defer` is active, and has a label that no other one has. */
export interface DeferredOperation {
  readonly document: DocumentNode;
  readonly labels: DeferLabels;
  /** The same for operations that differ only in variables that no `@defer` reads. */
  readonly key: string;
}

type Values = Readonly<Record<string, unknown>>;

const known = new WeakMap<DocumentNode, boolean>();

/** Whether a document contains `@defer`. The result is cached for as long as the document exists. */
export function hasDefer(document: DocumentNode): boolean {
  let found = known.get(document);
  if (found === undefined) {
    found = false;
    visit(document, {
      Directive: ({ name }) => {
        found ||= name.value === DEFER;
      },
    });
    known.set(document, found);
  }
  return found;
}

/** Returns a document without `@defer`. */
export function withoutDefer(document: DocumentNode): DocumentNode {
  return visit(document, { Directive: ({ name }) => (name.value === DEFER ? null : undefined) });
}

/**
 * Prepares an operation for its execution in parts. The planner distinguishes deferred fragments by their
 * labels, so fragments with `@defer` inside are written in place of their spreads, because each place is
 * deferred on its own. Whether a fragment is deferred depends on variables; it is decided here, because the
 * planner would make a plan for each combination of them.
 * @returns a function that returns undefined if no fragment is deferred with the given variables
 */
export function createDeferredOperation({
  document,
  operation,
}: ParsedOperation): (variables: Values | undefined) => DeferredOperation | undefined {
  const { selectionSet, defers } = inlineDeferred(document, operation);
  const expanded = withoutUnused({
    kind: Kind.DOCUMENT,
    definitions: [
      { ...operation, selectionSet },
      ...document.definitions.filter(({ kind }) => kind === Kind.FRAGMENT_DEFINITION),
    ],
  });
  const defaults: Record<string, unknown> = {};
  for (const { variable, defaultValue } of operation.variableDefinitions ?? []) {
    if (defaultValue?.kind === Kind.BOOLEAN) defaults[variable.name.value] = defaultValue.value;
  }
  return (variables) => {
    const isActive = ({ condition }: Defer): boolean =>
      typeof condition === 'boolean'
        ? condition
        : (variables?.[condition] ?? defaults[condition] ?? true) === true;
    const active = new Map(
      [...defers].filter(([, one]) => isActive(one)).map(([name, { label }]) => [name, label]),
    );
    if (active.size === 0) return undefined;
    return {
      document: withLabels(expanded, active),
      labels: active,
      key: [...active.keys()].join(' '),
    };
  };
}

/** Removes the fragments that an operation does not spread any longer. */
function withoutUnused(document: DocumentNode): DocumentNode {
  const [only = document] = Object.values(separateOperations(document));
  return only;
}

/** A place at which a fragment is deferred. */
interface Defer {
  readonly label: string | undefined;
  /** A variable, or a constant. */
  readonly condition: string | boolean;
}

function inlineDeferred(document: DocumentNode, operation: OperationDefinitionNode) {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const one of document.definitions) {
    if (one.kind === Kind.FRAGMENT_DEFINITION) fragments.set(one.name.value, one);
  }
  const defers = new Map<string, Defer>();
  const deferring = findDeferring(fragments);

  const ofSelections = ({ selections }: SelectionSetNode): SelectionSetNode => ({
    kind: Kind.SELECTION_SET,
    selections: selections.map(ofSelection),
  });
  const ofSelection = (one: SelectionNode): SelectionNode => {
    if (one.kind === Kind.FIELD) {
      return one.selectionSet ? { ...one, selectionSet: ofSelections(one.selectionSet) } : one;
    }
    if (one.kind === Kind.INLINE_FRAGMENT) return ofFragment(one, one.selectionSet);
    const fragment = fragments.get(one.name.value);
    const isInPlace = deferring.has(one.name.value) || one.directives?.some(isDefer);
    if (!fragment || !isInPlace) return one;
    const { typeCondition, selectionSet } = fragment;
    return { ...ofFragment(one, selectionSet), typeCondition };
  };
  const ofFragment = (
    { directives = [], ...fragment }: InlineFragmentNode | FragmentSpreadNode,
    inner: SelectionSetNode,
  ): InlineFragmentNode => {
    const directive = directives.find(isDefer);
    const name = directive ? `defer${defers.size}` : undefined;
    if (directive && name !== undefined) defers.set(name, readDefer(directive));
    return {
      kind: Kind.INLINE_FRAGMENT,
      ...('typeCondition' in fragment ? { typeCondition: fragment.typeCondition } : {}),
      directives: directives.map((one) =>
        one === directive && name !== undefined ? deferDirective(name) : one,
      ),
      selectionSet: ofSelections(inner),
    };
  };
  return { selectionSet: ofSelections(operation.selectionSet), defers };
}

/** Finds the fragments that contain `@defer`, also in fragments that they spread. */
function findDeferring(fragments: ReadonlyMap<string, FragmentDefinitionNode>): Set<string> {
  const found = new Set<string>();
  const spreads = new Map<string, string[]>();
  for (const [name, fragment] of fragments) {
    const inside: string[] = [];
    visit(fragment, {
      Directive: (one) => void (isDefer(one) && found.add(name)),
      FragmentSpread: (spread) => void inside.push(spread.name.value),
    });
    spreads.set(name, inside);
  }
  for (let before = -1; before < found.size; ) {
    before = found.size;
    for (const [name, inside] of spreads) if (inside.some((one) => found.has(one))) found.add(name);
  }
  return found;
}

/** Keeps the `@defer` of active fragments only. */
function withLabels(document: DocumentNode, active: DeferLabels): DocumentNode {
  return visit(document, {
    Directive: (directive) => {
      if (!isDefer(directive)) return undefined;
      const { label } = readDefer(directive);
      return label !== undefined && active.has(label) ? undefined : null;
    },
  });
}

const isDefer = ({ name }: DirectiveNode): boolean => name.value === DEFER;

function readDefer({ arguments: given = [] }: DirectiveNode): Defer {
  const find = (name: string) => given.find((one) => one.name.value === name)?.value;
  const label = find('label');
  const condition = find('if');
  return {
    label: label?.kind === Kind.STRING ? label.value : undefined,
    condition:
      condition?.kind === Kind.VARIABLE
        ? condition.name.value
        : condition?.kind !== Kind.BOOLEAN || condition.value,
  };
}

function deferDirective(label: string): DirectiveNode {
  return {
    kind: Kind.DIRECTIVE,
    name: { kind: Kind.NAME, value: DEFER },
    arguments: [
      {
        kind: Kind.ARGUMENT,
        name: { kind: Kind.NAME, value: 'label' },
        value: { kind: Kind.STRING, value: label },
      },
    ],
  };
}
