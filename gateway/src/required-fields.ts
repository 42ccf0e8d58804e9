import type { ObjectType } from '@apollo/federation-internals';
import {
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isInterfaceType,
  isObjectType,
  Kind,
  parse,
  type SelectionSetNode,
} from 'graphql';
import type { LoadedSupergraph } from './supergraph.ts';

/** The selections that fields require of their object (`@requires`), by coordinate. */
export type RequiredSelections = ReadonlyMap<string, readonly SelectionSetNode[]>;

/** Reads what all fields of a supergraph require. */
export function readRequiredSelections({
  model,
}: Pick<LoadedSupergraph, 'model'>): RequiredSelections {
  const found = new Map<string, SelectionSetNode[]>();
  for (const type of model.schema.types()) {
    if (type.kind !== 'ObjectType' && type.kind !== 'InterfaceType') continue;
    for (const field of (type as ObjectType).fields()) {
      for (const directive of field.appliedDirectivesOf('join__field')) {
        const { requires } = directive.arguments() as { readonly requires?: unknown };
        const set = typeof requires === 'string' ? parseFieldSet(requires) : undefined;
        if (set) found.set(field.coordinate, [...(found.get(field.coordinate) ?? []), set]);
      }
    }
  }
  return found;
}

/**
 * Returns the coordinates of all fields and types from which the value of each field is computed, because
 * it requires them. A caller who may not read those, or for whom they differ, may not read the field either,
 * or it differs as well. Composition checks this for scopes since Federation 2.9.4.
 */
export function readRequiredCoordinates(
  supergraph: Pick<LoadedSupergraph, 'model' | 'supergraphSchema'>,
): ReadonlyMap<string, ReadonlySet<string>> {
  const required = readRequiredSelections(supergraph);
  const found = new Map<string, Set<string>>();
  for (const coordinate of required.keys()) {
    const all = new Set<string>();
    addRequired(coordinate, required, supergraph.supergraphSchema, all);
    found.set(coordinate, all);
  }
  return found;
}

function addRequired(
  coordinate: string,
  required: RequiredSelections,
  schema: GraphQLSchema,
  found: Set<string>,
): void {
  const add = (set: SelectionSetNode, type: GraphQLNamedType | undefined): void => {
    for (const one of set.selections) {
      if (one.kind === Kind.INLINE_FRAGMENT) {
        const on = one.typeCondition?.name.value;
        add(one.selectionSet, on === undefined ? type : schema.getType(on));
      }
      if (one.kind !== Kind.FIELD || !type) continue;
      for (const each of isAbstractType(type) ? [type, ...schema.getPossibleTypes(type)] : [type]) {
        const own = `${each.name}.${one.name.value}`;
        if (found.has(own)) continue;
        found.add(own);
        addRequired(own, required, schema, found);
      }
      const fields = isObjectType(type) || isInterfaceType(type) ? type.getFields() : {};
      const inner = getNamedType(fields[one.name.value]?.type);
      if (inner) found.add(inner.name);
      if (one.selectionSet) add(one.selectionSet, inner);
    }
  };
  const [type = ''] = coordinate.split('.');
  for (const set of required.get(coordinate) ?? []) add(set, schema.getType(type));
}

function parseFieldSet(text: string): SelectionSetNode | undefined {
  const [definition] = parse(`{ ${text} }`, { noLocation: true }).definitions;
  return definition?.kind === Kind.OPERATION_DEFINITION ? definition.selectionSet : undefined;
}
