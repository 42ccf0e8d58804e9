import type { FieldDefinition, InterfaceType } from '@apollo/federation-internals';
import {
  type DocumentNode,
  type FragmentDefinitionNode,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isInterfaceType,
  isObjectType,
  Kind,
  type SelectionNode,
  type SelectionSetNode,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import { PlanningError } from '../errors/planning-error.ts';
import { readRequiredSelections } from '../required-fields.ts';
import type { LoadedSupergraph } from '../supergraph.ts';
import { fragmentsOf } from './flatten-mutation.ts';

/** The fields that one subgraph resolves for an interface as an object. */
interface InterfaceObject {
  /** Fields that no other subgraph resolves. */
  readonly fields: ReadonlySet<string>;
  /** The selections that fields require, by the names of the fields; undefined if an operation cannot select it. */
  readonly required: ReadonlyMap<string, SelectionSetNode | undefined>;
}

/**
 * Creates a function that selects required fields for all types of an interface.
 *
 * For a subgraph that has an interface as an object (`@interfaceObject`), Apollo's planner merges the fields of all
 * types into one request. If a field that requires others is selected for some of the types only, the required fields
 * are fetched for these types only, and the fields of the other types would be null without an error.
 * @returns undefined if no field of an interface object requires others. The function returns the document itself if it
 * selects no such field for some types only.
 */
export function createWidening({
  model,
  schema,
}: Pick<LoadedSupergraph, 'model' | 'schema'>):
  | ((document: DocumentNode) => DocumentNode)
  | undefined {
  const objects = readInterfaceObjects(model, schema);
  if (objects.size === 0) return undefined;
  return (document) => {
    const fragments = fragmentsOf(document);
    const info = new TypeInfo(schema);
    return visit(
      document,
      visitWithTypeInfo(info, {
        Field: {
          leave: (field) => {
            const type = info.getType();
            const named = type ? getNamedType(type) : undefined;
            const { selectionSet } = field;
            if (!selectionSet || !isAbstractType(named)) return undefined;
            const types = readTypes(selectionSet, named, schema, fragments);
            const added = [...objects].flatMap(([name, all]) =>
              all.flatMap((one) => findPartial(one, types).map((set) => onType(name, set))),
            );
            if (added.length === 0) return undefined;
            const selections = [...added, ...selectionSet.selections];
            return { ...field, selectionSet: { ...selectionSet, selections } };
          },
        },
      }),
    );
  };
}

/** The names of the object types for which fields are selected, by the fields' names. */
type TypesOfFields = ReadonlyMap<string, ReadonlySet<string>>;

/**
 * Finds what fields require that are selected for fewer types than other fields of an interface object.
 * @throws {PlanningError} if an operation cannot select it
 */
function findPartial(
  { fields, required }: InterfaceObject,
  types: TypesOfFields,
): readonly SelectionSetNode[] {
  const all = new Set([...fields].flatMap((name) => [...(types.get(name) ?? [])]));
  return [...required].flatMap(([name, set]) => {
    const own = types.get(name);
    if (!own || own.size >= all.size) return [];
    if (set) return [set];
    throw new PlanningError(
      `${name} can only be selected for all types or in an operation of its own`,
    );
  });
}

function readTypes(
  set: SelectionSetNode,
  type: GraphQLNamedType,
  schema: GraphQLSchema,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
): TypesOfFields {
  const found = new Map<string, Set<string>>();
  const namesOf = (one: GraphQLNamedType | undefined): string[] =>
    isAbstractType(one)
      ? schema.getPossibleTypes(one).map(({ name }) => name)
      : isObjectType(one)
        ? [one.name]
        : [];
  const read = ({ selections }: SelectionSetNode, possible: readonly string[]): void => {
    for (const one of selections) {
      if (one.kind === Kind.FIELD) {
        const name = one.name.value;
        found.set(name, new Set([...(found.get(name) ?? []), ...possible]));
        continue;
      }
      const fragment = one.kind === Kind.INLINE_FRAGMENT ? one : fragments.get(one.name.value);
      const on = fragment?.typeCondition?.name.value;
      const inside = on === undefined ? undefined : new Set(namesOf(schema.getType(on)));
      if (fragment)
        read(
          fragment.selectionSet,
          possible.filter((name) => inside?.has(name) ?? true),
        );
    }
  };
  read(set, namesOf(type));
  return found;
}

function readInterfaceObjects(
  model: LoadedSupergraph['model'],
  schema: GraphQLSchema,
): ReadonlyMap<string, readonly InterfaceObject[]> {
  const required = readRequiredSelections({ model });
  const found = new Map<string, InterfaceObject[]>();
  for (const type of model.schema.types()) {
    if (type.kind !== 'InterfaceType') continue;
    const objects = graphsOf(type).flatMap((graph): InterfaceObject[] => {
      const fields = (type as InterfaceType).fields().filter((field) => {
        const graphs = graphsResolving(field);
        return graphs.length > 0 && graphs.every((one) => one === graph);
      });
      const requiring = fields.flatMap(({ name, coordinate }) =>
        (required.get(coordinate) ?? []).map((set) => {
          const isKept = isSelectable(set, schema.getType(type.name), schema);
          return [name, isKept ? set : undefined] as const;
        }),
      );
      if (requiring.length === 0) return [];
      return [{ fields: new Set(fields.map(({ name }) => name)), required: new Map(requiring) }];
    });
    if (objects.length > 0) found.set(type.name, objects);
  }
  return found;
}

/** Returns the subgraphs that resolve a field; none if all subgraphs of its type do. */
function graphsResolving(field: FieldDefinition<InterfaceType>): unknown[] {
  return field.appliedDirectivesOf('join__field').flatMap((one) => {
    const { graph, external } = one.arguments() as Record<string, unknown>;
    return external === true ? [] : [graph];
  });
}

/** Returns the subgraphs that have an interface as an object. */
function graphsOf(type: { appliedDirectivesOf: InterfaceType['appliedDirectivesOf'] }): unknown[] {
  return type.appliedDirectivesOf('join__type').flatMap((one) => {
    const { graph, isInterfaceObject } = one.arguments() as Record<string, unknown>;
    return isInterfaceObject === true ? [graph] : [];
  });
}

/** Whether an operation can select required fields. It cannot if they are inaccessible or have arguments. */
function isSelectable(
  { selections }: SelectionSetNode,
  type: GraphQLNamedType | undefined,
  schema: GraphQLSchema,
): boolean {
  return selections.every((one) => {
    if (one.kind === Kind.FIELD) {
      const fields = isObjectType(type) || isInterfaceType(type) ? type.getFields() : {};
      const field = fields[one.name.value];
      if (one.name.value !== '__typename' && (!field || one.arguments?.length)) return false;
      return !one.selectionSet || isSelectable(one.selectionSet, getNamedType(field?.type), schema);
    }
    if (one.kind !== Kind.INLINE_FRAGMENT) return false;
    const on = one.typeCondition;
    return isSelectable(one.selectionSet, on ? schema.getType(on.name.value) : type, schema);
  });
}

function onType(name: string, selectionSet: SelectionSetNode): SelectionNode {
  return {
    kind: Kind.INLINE_FRAGMENT,
    typeCondition: { kind: Kind.NAMED_TYPE, name: { kind: Kind.NAME, value: name } },
    selectionSet,
  };
}
