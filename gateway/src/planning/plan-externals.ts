import type {
  FetchNode,
  PlanNode,
  QueryPlanSelectionNode,
  SubscriptionNode,
} from '@apollo/query-planner';
import {
  type ASTNode,
  type ConstDirectiveNode,
  type DocumentNode,
  type FieldDefinitionNode,
  type FieldNode,
  type InterfaceTypeDefinitionNode,
  Kind,
  type ObjectTypeDefinitionNode,
  parse,
  print,
  type SelectionSetNode,
  visit,
} from 'graphql';
import { fragmentsOf } from './flatten-mutation.ts';

/** Facts of the supergraph about an object type, or the types of an interface's fields. */
interface TypeFacts {
  readonly isObject: boolean;
  /** Named types of its fields. */
  readonly fields: ReadonlyMap<string, string>;
  /** Fields that subgraphs resolve, as `GRAPH field`. */
  readonly resolved: ReadonlySet<string>;
  /** Fields that only some subgraphs resolve. */
  readonly partial: ReadonlySet<string>;
  /** Fields that a subgraph's fields provide, by `GRAPH field`. */
  readonly provides: ReadonlyMap<string, SelectionSetNode>;
  /** The names of the fields that fields of a subgraph require, by `GRAPH field`. */
  readonly requires: ReadonlyMap<string, readonly string[]>;
}

/**
 * Finds what a plan would do wrong: fields that it reads from a subgraph which does not resolve them, and fields for
 * which it does not send the fields that they require.
 * @returns predicates, such as `read T.f from a subgraph that does not resolve it`
 */
export type ExternalFinder = (node: PlanNode | SubscriptionNode | undefined) => readonly string[];

/**
 * Creates a check of plans. If a field requires a field that itself requires another subgraph's field, Apollo's
 * planner may merge the three requests into one, which then selects external fields, or lacks the required ones.
 * The answer of the subgraph is undefined: null, an error or another value.
 * @returns undefined if no field requires others
 */
export function createExternalFinder(supergraph: DocumentNode): ExternalFinder | undefined {
  if (!print(supergraph).includes('requires: "')) return undefined;
  const types = new Map<string, TypeFacts>();
  const graphs = new Map<string, string>();
  for (const type of supergraph.definitions) {
    if (type.kind === Kind.ENUM_TYPE_DEFINITION && type.name.value === 'join__Graph') {
      for (const { name, directives = [] } of type.values ?? []) {
        const subgraph = directives.map((one) => textOf(one, 'name')).find((text) => text);
        graphs.set(subgraph ?? name.value, name.value);
      }
    }
    const { kind } = type;
    if (kind !== Kind.OBJECT_TYPE_DEFINITION && kind !== Kind.INTERFACE_TYPE_DEFINITION) continue;
    types.set(type.name.value, readType(type));
  }
  return (node) => {
    const found = new Set<string>();
    for (const fetch of fetchesIn(node)) {
      const graph = graphs.get(fetch.serviceName);
      if (graph) findInFetch(fetch, graph, types, found);
    }
    return [...found];
  };
}

const NO_FACTS: TypeFacts = {
  isObject: false,
  fields: new Map(),
  resolved: new Set(),
  partial: new Set(),
  provides: new Map(),
  requires: new Map(),
};

function readType(type: ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode): TypeFacts {
  const { directives, fields = [] } = type;
  const named = new Map(fields.map((one) => [one.name.value, namedType(one)]));
  // Only the types of an interface's fields are used: its objects may be of other subgraphs.
  if (type.kind === Kind.INTERFACE_TYPE_DEFINITION) return { ...NO_FACTS, fields: named };

  const keys = new Set<string>();
  for (const one of directives ?? []) {
    if (one.name.value !== 'join__type') continue;
    for (const name of namesIn(textOf(one, 'key') ?? ''))
      keys.add(`${textOf(one, 'graph')} ${name}`);
  }
  const resolved = new Set(keys);
  const partial = new Set<string>();
  const provides = new Map<string, SelectionSetNode>();
  const requires = new Map<string, readonly string[]>();
  for (const field of fields) {
    const name = field.name.value;
    const places = (field.directives ?? []).filter((one) => one.name.value === 'join__field');
    if (places.length > 0 && places.every((one) => textOf(one, 'graph'))) partial.add(name);
    for (const one of places) {
      const own = `${textOf(one, 'graph')} ${name}`;
      if (textOf(one, 'external') !== 'true') resolved.add(own);
      const provided = textOf(one, 'provides');
      if (provided) provides.set(own, parseFieldSet(provided));
      const required = textOf(one, 'requires');
      if (required) requires.set(own, fieldNames(parseFieldSet(required)));
    }
  }
  return {
    isObject: true,
    fields: named,
    resolved,
    partial,
    provides,
    requires,
  };
}

function namedType({ type }: FieldDefinitionNode): string {
  let named = type;
  while (named.kind !== Kind.NAMED_TYPE) named = named.type;
  return named.name.value;
}

/** Returns a directive's argument as a text, also if it is an enum value or a boolean. */
function textOf({ arguments: given = [] }: ConstDirectiveNode, name: string): string | undefined {
  const value = given.find((one) => one.name.value === name)?.value;
  return value && 'value' in value ? String(value.value) : undefined;
}

function parseFieldSet(fields: string): SelectionSetNode {
  const [operation] = parse(`{ ${fields} }`, { noLocation: true }).definitions;
  return (operation as { selectionSet: SelectionSetNode }).selectionSet;
}

function namesIn(fields: string): string[] {
  return [...fields.matchAll(/\w+/g)].map(([name]) => name);
}

/** Returns all requests of a plan. */
export function fetchesIn(node: PlanNode | SubscriptionNode | undefined): FetchNode[] {
  switch (node?.kind) {
    case 'Fetch':
      return [node];
    case 'Sequence':
    case 'Parallel':
      return node.nodes.flatMap(fetchesIn);
    case 'Flatten':
      return fetchesIn(node.node);
    case 'Condition':
      return [...fetchesIn(node.ifClause), ...fetchesIn(node.elseClause)];
    case 'Subscription':
      return [node.primary, ...fetchesIn(node.rest)];
    case 'Defer':
      return [node.primary.node, ...node.deferred.map((one) => one.node)].flatMap(fetchesIn);
    default:
      return [];
  }
}

function findInFetch(
  fetch: FetchNode,
  graph: string,
  types: ReadonlyMap<string, TypeFacts>,
  found: Set<string>,
): void {
  const document = parse(fetch.operation, { noLocation: true });
  const fragments = fragmentsOf(document);
  const check = (
    { selections }: SelectionSetNode,
    type: string,
    provided: readonly SelectionSetNode[],
    isEntity = false,
  ): void => {
    for (const one of selections) {
      if (one.kind === Kind.FIELD) {
        checkField(one, type, provided, isEntity);
        continue;
      }
      const inner = one.kind === Kind.INLINE_FRAGMENT ? one : fragments.get(one.name.value);
      if (inner) {
        check(inner.selectionSet, inner.typeCondition?.name.value ?? type, provided, isEntity);
      }
    }
  };
  const checkField = (
    { name: { value: name }, selectionSet }: FieldNode,
    type: string,
    provided: readonly SelectionSetNode[],
    isEntity: boolean,
  ): void => {
    if (name === '_entities' && selectionSet) {
      check(selectionSet, '_Entity', [], true);
      return;
    }
    const facts = types.get(type);
    const own = `${graph} ${name}`;
    const here = provided.flatMap((one) => fieldsNamed(one, name));
    const isResolved = !facts?.partial.has(name) || facts.resolved.has(own) || here.length > 0;
    if (!isResolved) found.add(`read ${type}.${name} from a subgraph that does not resolve it`);
    const required = facts?.requires.get(own) ?? [];
    const sent = isEntity ? representedNames(fetch.requires ?? [], type, types) : [];
    if (required.some((one) => !sent.includes(one))) {
      found.add(`resolve ${type}.${name} without the fields that it requires`);
    }
    if (!selectionSet) return;
    const inner = here.flatMap((one) => one.selectionSet ?? []);
    const provides = facts?.provides.get(own);
    check(selectionSet, facts?.fields.get(name) ?? '', provides ? [...inner, provides] : inner);
  };
  const kind = fetch.operationKind;
  const root = `${kind.slice(0, 1).toUpperCase()}${kind.slice(1)}`;
  visit(document as ASTNode, {
    OperationDefinition: ({ selectionSet }) => {
      check(selectionSet, root, []);
      return false;
    },
  });
}

/** Names of the fields of a type's representation. */
function representedNames(
  selections: readonly QueryPlanSelectionNode[],
  type: string,
  types: ReadonlyMap<string, TypeFacts>,
): readonly string[] {
  return selections.flatMap((one): readonly string[] => {
    if (one.kind === 'Field') return [one.name];
    const of = one.typeCondition;
    // A fragment on an interface may apply to the type.
    const mayApply = of === undefined || of === type || !types.get(of)?.isObject;
    return mayApply ? representedNames(one.selections, type, types) : [];
  });
}

/** Names of the fields of a selection and its fragments. */
function fieldNames({ selections }: SelectionSetNode): string[] {
  return selections.flatMap((one): string[] => {
    if (one.kind === Kind.FIELD) return [one.name.value];
    return one.kind === Kind.INLINE_FRAGMENT ? fieldNames(one.selectionSet) : [];
  });
}

/** Fields with a name, in a selection or its fragments on any type. */
function fieldsNamed({ selections }: SelectionSetNode, name: string): FieldNode[] {
  return selections.flatMap((one): FieldNode[] => {
    if (one.kind === Kind.FIELD) return one.name.value === name ? [one] : [];
    return one.kind === Kind.INLINE_FRAGMENT ? fieldsNamed(one.selectionSet, name) : [];
  });
}
