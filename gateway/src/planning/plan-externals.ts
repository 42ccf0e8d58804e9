import type { FetchNode, PlanNode, SubscriptionNode } from '@apollo/query-planner';
import {
  type ASTNode,
  type ConstDirectiveNode,
  type DocumentNode,
  type FieldDefinitionNode,
  type FieldNode,
  Kind,
  type ObjectTypeDefinitionNode,
  parse,
  print,
  type SelectionSetNode,
  visit,
} from 'graphql';

/** What the supergraph says about a type. */
interface TypeFacts {
  /** Named types of its fields. */
  readonly fields: ReadonlyMap<string, string>;
  /** Fields that subgraphs resolve, as `GRAPH field`. */
  readonly resolved: ReadonlySet<string>;
  /** Fields that only some subgraphs resolve. */
  readonly partial: ReadonlySet<string>;
  /** What fields of a subgraph provide, by `GRAPH field`. */
  readonly provides: ReadonlyMap<string, SelectionSetNode>;
}

/** Finds the fields of a plan that it reads from a subgraph which does not resolve them, as `Type.field`. */
export type ExternalFinder = (node: PlanNode | SubscriptionNode | undefined) => readonly string[];

/**
 * Creates a check of plans. If a field requires a field that itself requires another subgraph's field, Apollo's
 * planner may merge the three requests into one, which then selects external fields. The answer of the subgraph
 * is undefined: null, an error or another value.
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
    if (type.kind !== Kind.OBJECT_TYPE_DEFINITION) continue;
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

function readType({ directives, fields = [] }: ObjectTypeDefinitionNode): TypeFacts {
  const keys = new Set<string>();
  for (const one of directives ?? []) {
    if (one.name.value !== 'join__type') continue;
    for (const name of namesIn(textOf(one, 'key') ?? ''))
      keys.add(`${textOf(one, 'graph')} ${name}`);
  }
  const resolved = new Set(keys);
  const partial = new Set<string>();
  const provides = new Map<string, SelectionSetNode>();
  for (const field of fields) {
    const name = field.name.value;
    const places = (field.directives ?? []).filter((one) => one.name.value === 'join__field');
    if (places.length > 0 && places.every((one) => textOf(one, 'graph'))) partial.add(name);
    for (const one of places) {
      const own = `${textOf(one, 'graph')} ${name}`;
      if (textOf(one, 'external') !== 'true') resolved.add(own);
      const provided = textOf(one, 'provides');
      if (provided) provides.set(own, parseFieldSet(provided));
    }
  }
  return {
    fields: new Map(fields.map((one) => [one.name.value, namedType(one)])),
    resolved,
    partial,
    provides,
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

function fetchesIn(node: PlanNode | SubscriptionNode | undefined): FetchNode[] {
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
  const check = (
    { selections }: SelectionSetNode,
    type: string,
    provided: readonly SelectionSetNode[],
  ): void => {
    for (const one of selections) {
      if (one.kind === Kind.INLINE_FRAGMENT) {
        check(one.selectionSet, one.typeCondition?.name.value ?? type, provided);
      } else if (one.kind === Kind.FIELD) checkField(one, type, provided);
    }
  };
  const checkField = (
    { name: { value: name }, selectionSet }: FieldNode,
    type: string,
    provided: readonly SelectionSetNode[],
  ): void => {
    if (name === '_entities' && selectionSet) {
      check(selectionSet, '_Entity', []);
      return;
    }
    const facts = types.get(type);
    const own = `${graph} ${name}`;
    const here = provided.flatMap((one) => fieldsNamed(one, name));
    const isResolved = !facts?.partial.has(name) || facts.resolved.has(own) || here.length > 0;
    if (!isResolved) found.add(`${type}.${name}`);
    if (!selectionSet) return;
    const inner = here.flatMap((one) => one.selectionSet ?? []);
    const provides = facts?.provides.get(own);
    // The type of an interface's field is unknown here; its selections on objects are in fragments.
    check(selectionSet, facts?.fields.get(name) ?? '', provides ? [...inner, provides] : inner);
  };
  const kind = fetch.operationKind;
  const root = `${kind.slice(0, 1).toUpperCase()}${kind.slice(1)}`;
  visit(parse(fetch.operation, { noLocation: true }) as ASTNode, {
    OperationDefinition: ({ selectionSet }) => {
      check(selectionSet, root, []);
      return false;
    },
  });
}

/** Fields with a name, in a selection or its fragments on any type. */
function fieldsNamed({ selections }: SelectionSetNode, name: string): FieldNode[] {
  return selections.flatMap((one): FieldNode[] => {
    if (one.kind === Kind.FIELD) return one.name.value === name ? [one] : [];
    return one.kind === Kind.INLINE_FRAGMENT ? fieldsNamed(one.selectionSet, name) : [];
  });
}
