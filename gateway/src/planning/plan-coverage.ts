import {
  isSubtype,
  type Operation,
  type SelectionSet,
  Variable,
} from '@apollo/federation-internals';
import type { PlanNode, SubscriptionNode } from '@apollo/query-planner';
import { type FragmentDefinitionNode, Kind, parse, type SelectionSetNode } from 'graphql';

/**
 * Finds the fields of an operation that its plan does not fetch, as their names in the schema. The planner
 * leaves out a field that no subgraph can resolve, and the executor would answer null without an error.
 *
 * Fields for some of an object's possible types are not checked, because a plan rightly leaves out types
 * that the subgraph of the object does not have.
 */
export function findUnplanned(
  { selectionSet }: Operation,
  node: PlanNode | SubscriptionNode | undefined,
): readonly string[] {
  const planned = node ? planPaths(node, '') : NO_PATHS;
  const found = new Set<string>();
  const check = (set: SelectionSet, path: string, given: Conditions): void => {
    for (const selection of set.selections()) {
      const conditions = addConditions(given, selection.element);
      if (!conditions) continue;
      if (selection.kind === 'FragmentSelection') {
        const { typeCondition: type = set.parentType } = selection.element;
        if (isSubtype(type, set.parentType)) check(selection.selectionSet, path, conditions);
        continue;
      }
      const { definition } = selection.element;
      if (definition.isIntrospectionField()) continue;
      const own = `${path}.${selection.element.responseName()}`;
      if (!planned.has(own)) found.add(definition.coordinate);
      else if (selection.selectionSet) check(selection.selectionSet, own, conditions);
    }
  };
  check(selectionSet, '', NONE);
  return [...found];
}

const NO_PATHS: ReadonlySet<string> = new Set();

/**
 * Returns the paths of all fields that a plan fetches, without types and indexes, such as `.orders.id`.
 * @param path path of the objects for which the plan is executed
 */
export function planPaths(node: PlanNode | SubscriptionNode, path: string): ReadonlySet<string> {
  const paths = new Set<string>();
  addPaths(node, path, paths);
  return paths;
}

function addPaths(node: PlanNode | SubscriptionNode, path: string, paths: Set<string>): void {
  switch (node.kind) {
    case 'Sequence':
    case 'Parallel':
      for (const child of node.nodes) addPaths(child, path, paths);
      return;
    case 'Flatten': {
      const keys = node.path.filter((key) => key !== '@');
      addPaths(node.node, [path, ...keys].join('.'), paths);
      return;
    }
    case 'Condition':
      if (node.ifClause) addPaths(node.ifClause, path, paths);
      if (node.elseClause) addPaths(node.elseClause, path, paths);
      return;
    case 'Subscription':
      addPaths(node.primary, path, paths);
      if (node.rest) addPaths(node.rest, path, paths);
      return;
    case 'Defer':
      if (node.primary.node) addPaths(node.primary.node, path, paths);
      for (const { node: deferred } of node.deferred) if (deferred) addPaths(deferred, path, paths);
      return;
    case 'Fetch':
      addFields(node.operation, path, paths);
  }
}

/** Suffix of the aliases that the planner gives to fields of different types that cannot be merged. */
const PLANNER_ALIAS = /__alias_\d+$/;

function addFields(operation: string, path: string, paths: Set<string>): void {
  const { definitions } = parse(operation, { noLocation: true });
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const one of definitions) {
    if (one.kind === Kind.FRAGMENT_DEFINITION) fragments.set(one.name.value, one);
  }
  const add = ({ selections }: SelectionSetNode, path: string): void => {
    for (const one of selections) {
      if (one.kind === Kind.FIELD) {
        const name = (one.alias ?? one.name).value;
        const own = name === '_entities' ? path : `${path}.${name}`;
        paths.add(own);
        paths.add(own.replace(PLANNER_ALIAS, ''));
        if (one.selectionSet) add(one.selectionSet, own.replace(PLANNER_ALIAS, ''));
      } else {
        const inner = one.kind === Kind.INLINE_FRAGMENT ? one : fragments.get(one.name.value);
        if (inner) add(inner.selectionSet, path);
      }
    }
  };
  for (const one of definitions) {
    if (one.kind === Kind.OPERATION_DEFINITION) add(one.selectionSet, path);
  }
}

type Element = ReturnType<SelectionSet['selections']>[number]['element'];

/** The values of variables with which a selection is executed. */
type Conditions = ReadonlyMap<string, boolean>;
const NONE: Conditions = new Map();

/** Adds a selection's conditions. @returns undefined if the selection is never executed */
function addConditions(given: Conditions, { appliedDirectives }: Element): Conditions | undefined {
  if (appliedDirectives.length === 0) return given;
  const all = new Map(given);
  for (const directive of appliedDirectives) {
    if (directive.name !== 'skip' && directive.name !== 'include') continue;
    const wanted = directive.name === 'include';
    const condition: unknown = directive.arguments()['if'];
    if (!(condition instanceof Variable)) {
      if (condition !== wanted) return undefined;
    } else if ((all.get(condition.name) ?? wanted) !== wanted) return undefined;
    else all.set(condition.name, wanted);
  }
  return all;
}
