import { seedOf } from '@gudang/testing/random';
import {
  type FieldNode,
  GraphQLError,
  type GraphQLObjectType,
  type GraphQLSchema,
  getArgumentValues,
  getNamedType,
  isAbstractType,
  isInterfaceType,
  isObjectType,
  Kind,
  type SelectionSetNode,
} from 'graphql';
import { type DataNode, type DataValue, FAILURE, type GraphData } from './graph-data.ts';
import { type ContextArgument, contextField, type GraphFacts } from './graph-facts.ts';
import type { GraphModel } from './graph-model.ts';

/** State of one execution, in which mutations and events change root values. */
export class Run {
  /** Mutations in the order of their execution. */
  readonly mutations: string[] = [];
  /** Fields that failed, as `Type.field`. */
  readonly failed = new Set<string>();
  /** What a subgraph must never receive. */
  readonly violations: string[] = [];
  /** Least draw for progressive overrides; undefined if it is not known. */
  readonly draw: number | undefined;

  constructor(draw?: number) {
    this.draw = draw;
  }
}

export function isNode(value: unknown): value is DataNode {
  return typeof value === 'object' && value !== null && 'type' in value && 'id' in value;
}

/** Applies a function to each object in nested lists. */
export function mapNodes<T>(value: DataValue, map: (node: DataNode) => T): unknown {
  if (isNode(value)) return map(value);
  return Array.isArray(value) ? value.map((one) => mapNodes(one, map)) : value;
}

/** Throws the error of a field that fails. */
export function assertPresent(value: DataValue, name: string, run: Run): DataValue {
  if (value === FAILURE) {
    run.failed.add(name);
    throw new GraphQLError(`${name} fails`);
  }
  if (!Array.isArray(value)) return value;
  return value.map((one) => {
    if (one !== FAILURE) return assertPresent(one, name, run);
    run.failed.add(name);
    return new GraphQLError(`${name} fails`) as never;
  });
}

/** The value of a computed field: it tells which values the field has received. */
export function computeValue(type: string, required: unknown, args: unknown): DataValue {
  const number = seedOf(1, `${JSON.stringify(required)}${JSON.stringify(args)}`) % 10_000;
  if (type.startsWith('[')) return [number, number + 1];
  return type.startsWith('Int') ? number : `computed ${number}`;
}

/** Finds the selection that a field of an object requires, also if an interface object declares it. */
export function findRequired(
  { types }: GraphModel,
  { requires }: GraphFacts,
  type: string,
  field: string,
): SelectionSetNode | undefined {
  const own = requires.get(`${type}.${field}`);
  if (own) return own;
  for (const one of types.values()) {
    if (one.kind !== 'interface' || !one.members.includes(type)) continue;
    const added = requires.get(`${one.name}.${field}`);
    if (added) return added;
  }
  return undefined;
}

/** Reads the values of a selection that a field requires. A value that fails counts as null. */
export function collectRequired(
  sources: { graph: GraphModel; facts: GraphFacts; data: GraphData; schema: GraphQLSchema },
  node: DataNode,
  { selections }: SelectionSetNode,
): Record<string, unknown> {
  const collected: Record<string, unknown> = {};
  for (const one of selections) {
    if (one.kind === Kind.FRAGMENT_SPREAD) continue;
    if (one.kind === Kind.INLINE_FRAGMENT) {
      if (appliesTo(sources.schema, one.typeCondition?.name.value, node.type)) {
        Object.assign(collected, collectRequired(sources, node, one.selectionSet));
      }
      continue;
    }
    if (one.name.value === '__typename') continue;
    const nested = one.selectionSet;
    const value = withoutFailures(readField(sources, node, one));
    collected[one.name.value] = nested
      ? mapNodes(value, (inner) => collectRequired(sources, inner, nested))
      : value;
  }
  return collected;
}

function readField(
  { graph, facts, data, schema }: Parameters<typeof collectRequired>[0],
  node: DataNode,
  selection: FieldNode,
): DataValue {
  const name = selection.name.value;
  const type = schema.getType(node.type) as GraphQLObjectType;
  const field = type.getFields()[name];
  if (!field) throw new Error(`The schema has no field ${node.type}.${name}`);
  const args = getArgumentValues(field, selection);
  const required = findRequired(graph, facts, node.type, name);
  if (!required) return data.read(node, name, args);
  const given = collectRequired({ graph, facts, data, schema }, node, required);
  return computeValue(String(field.type), given, args);
}

function withoutFailures(value: DataValue): DataValue {
  if (value === FAILURE) return null;
  return Array.isArray(value) ? value.map(withoutFailures) : value;
}

/** Reads the value that an argument has from the nearest object of its context. */
export function readContextValue(
  sources: Parameters<typeof collectRequired>[0],
  context: ContextArgument,
  { around }: DataNode,
): DataValue {
  for (let one = around; one; one = one.around) {
    const field = contextField(context, one.type);
    if (field) return withoutFailures(readField(sources, one, field));
  }
  return null;
}

/** Whether a type condition holds for objects of a type. */
export function appliesTo(
  schema: GraphQLSchema,
  condition: string | undefined,
  name: string,
): boolean {
  if (condition === undefined || condition === name) return true;
  const [wanted, type] = [schema.getType(condition), schema.getType(name)];
  if (!isAbstractType(wanted) || !(isObjectType(type) || isInterfaceType(type))) return false;
  return schema.isSubType(getNamedType(wanted) as typeof wanted, type);
}
