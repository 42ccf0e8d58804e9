import {
  defaultFieldResolver,
  type FieldNode,
  type GraphQLAbstractType,
  type GraphQLField,
  type GraphQLLeafType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  getArgumentValues,
  isAbstractType,
  isLeafType,
  isListType,
  isNonNullType,
  Kind,
  SchemaMetaFieldDef,
  type SelectionSetNode,
  TypeMetaFieldDef,
  TypeNameMetaFieldDef,
  visit,
} from 'graphql';
import { collectFields, type OperationParts, type Variables } from './collect-fields.ts';

/** The fields of a selection for one object type, in the order of the answer. */
export interface Selection {
  readonly type: GraphQLObjectType;
  readonly fields: readonly SelectedField[];
}

/** The form that an output type requires of a value, read once so that executions need not read the type. */
export type Shape = { readonly isNonNull: boolean } & (
  | { readonly kind: 'leaf'; readonly type: GraphQLLeafType }
  | { readonly kind: 'list'; readonly item: Shape }
  | { readonly kind: 'abstract'; readonly type: GraphQLAbstractType }
  | { readonly kind: 'object'; readonly type: GraphQLObjectType }
);

/** A field of a selection. */
export interface SelectedField {
  readonly responseName: string;
  readonly parentType: GraphQLObjectType;
  readonly definition: GraphQLField<unknown, unknown>;
  readonly shape: Shape;
  readonly nodes: readonly FieldNode[];
  /** Undefined if the value is the property of the same name. */
  readonly resolve: GraphQLField<unknown, unknown>['resolve'] | undefined;
  /** The value of `__typename`. */
  readonly typeName: string | undefined;
  /** Undefined if the arguments depend on variables, are objects, or cannot be read. */
  readonly fixedArguments: Readonly<Record<string, unknown>> | undefined;
  /** Returns the selection of the field's values with an object type. */
  readonly selectionOf: (type: GraphQLObjectType) => Selection;
}

/**
 * Compiles the selection of an object type. The selections below it are compiled when the first value of
 * their type arrives.
 * @throws {GraphQLError} if the condition of `@skip` or `@include` is null
 */
export function compileSelection(
  parts: OperationParts,
  variables: Variables,
  type: GraphQLObjectType,
  selectionSets: readonly SelectionSetNode[],
): Selection {
  const collected = collectFields(parts, variables, type, selectionSets);
  const fields: SelectedField[] = [];
  for (const [responseName, nodes] of collected) {
    const definition = definitionOf(parts, type, nodes[0] as FieldNode);
    if (definition)
      fields.push(compileField(parts, variables, type, responseName, definition, nodes));
  }
  return { type, fields };
}

function compileField(
  parts: OperationParts,
  variables: Variables,
  parentType: GraphQLObjectType,
  responseName: string,
  definition: GraphQLField<unknown, unknown>,
  nodes: readonly FieldNode[],
): SelectedField {
  const below = nodes.flatMap(({ selectionSet }) => selectionSet ?? []);
  let last: Selection | undefined;
  const selections = new Map<GraphQLObjectType, Selection>();
  const { resolve } = definition;
  return {
    responseName,
    parentType,
    definition,
    shape: shapeOf(definition.type),
    nodes,
    resolve: resolve === defaultFieldResolver ? undefined : resolve,
    typeName: definition === TypeNameMetaFieldDef ? parentType.name : undefined,
    fixedArguments: fixedArguments(definition, nodes[0] as FieldNode),
    selectionOf: (type) => {
      if (last?.type === type) return last;
      const known = selections.get(type) ?? compileSelection(parts, variables, type, below);
      selections.set(type, known);
      last = known;
      return known;
    },
  };
}

function shapeOf(given: GraphQLOutputType): Shape {
  const isNonNull = isNonNullType(given);
  const type = isNonNull ? given.ofType : given;
  if (isListType(type)) return { kind: 'list', isNonNull, item: shapeOf(type.ofType) };
  if (isLeafType(type)) return { kind: 'leaf', isNonNull, type };
  return isAbstractType(type)
    ? { kind: 'abstract', isNonNull, type }
    : { kind: 'object', isNonNull, type };
}

function definitionOf(
  { schema }: OperationParts,
  type: GraphQLObjectType,
  node: FieldNode,
): GraphQLField<unknown, unknown> | undefined {
  const name = node.name.value;
  if (name === TypeNameMetaFieldDef.name) return TypeNameMetaFieldDef;
  if (type === schema.getQueryType()) {
    if (name === SchemaMetaFieldDef.name) return SchemaMetaFieldDef;
    if (name === TypeMetaFieldDef.name) return TypeMetaFieldDef;
  }
  return type.getFields()[name];
}

function fixedArguments(
  definition: GraphQLField<unknown, unknown>,
  node: FieldNode,
): Readonly<Record<string, unknown>> | undefined {
  if (hasVariable(node)) return undefined;
  try {
    const values = getArgumentValues(definition, node);
    // A resolver may change an object, which all executions would share.
    return Object.values(values).some(isObject) ? undefined : values;
  } catch {
    // The execution reports the error at the field's path.
    return undefined;
  }
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

function hasVariable({ arguments: given = [] }: FieldNode): boolean {
  let found = false;
  for (const argument of given) {
    visit(argument, {
      [Kind.VARIABLE]: () => {
        found = true;
      },
    });
  }
  return found;
}
