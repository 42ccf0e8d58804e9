import {
  type DocumentNode,
  type GraphQLInputType,
  type GraphQLSchema,
  getNullableType,
  isInputObjectType,
  isListType,
  Kind,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql';

/** The path of a value in an operation's arguments, such as `input.quantity`, and its type. */
export interface InputPlace {
  readonly argument: string;
  readonly type: GraphQLInputType | undefined;
}

const STEPS = new Set<string>([Kind.VARIABLE_DEFINITION, Kind.ARGUMENT, Kind.OBJECT_FIELD]);

/** Finds the paths of all values, object fields and variables in an operation's arguments. */
export function inputPlaces(document: DocumentNode, schema: GraphQLSchema) {
  const ofNode = new Map<unknown, InputPlace>();
  const ofVariable = new Map<string, InputPlace[]>();
  const path: string[] = [];
  const typeInfo = new TypeInfo(schema);
  visit(
    document,
    visitWithTypeInfo(typeInfo, {
      enter(node, key, parent) {
        if (node.kind === Kind.VARIABLE && key === 'variable') return;
        const inList = typeof key === 'number' && isListValues(parent);
        if (node.kind === Kind.VARIABLE_DEFINITION) path.push(node.variable.name.value);
        else if (node.kind === Kind.ARGUMENT) path.push(node.name.value);
        else if (node.kind === Kind.OBJECT_FIELD) path.push(`.${node.name.value}`);
        if (inList) path.push(`[${key}]`);
        if (path.length === 0) return;
        const type = typeInfo.getInputType() ?? typeInfo.getParentInputType() ?? undefined;
        const place = { argument: path.join(''), type };
        ofNode.set(node, place);
        if (node.kind === Kind.VARIABLE) {
          const places = ofVariable.get(node.name.value) ?? [];
          if (!places.some(({ argument }) => argument === place.argument)) places.push(place);
          ofVariable.set(node.name.value, places);
        }
      },
      leave(node, key, parent) {
        if (typeof key === 'number' && isListValues(parent)) path.pop();
        if (STEPS.has(node.kind)) path.pop();
      },
    }),
  );
  return { ofNode, ofVariable };

  /**
   * Whether a parent is the array of a list literal's values. graphql-js passes this array as the
   * parent of each element.
   */
  function isListValues(parent: unknown): boolean {
    const first: unknown = Array.isArray(parent) ? parent[0] : undefined;
    const kind = (first as { kind?: string } | undefined)?.kind;
    return (
      path.length > 0 && kind !== undefined && kind !== Kind.ARGUMENT && kind !== Kind.OBJECT_FIELD
    );
  }
}

/**
 * Returns the type at a path that starts at `type` and consists of field names and list indexes.
 */
export function typeAlong(
  type: GraphQLInputType,
  path: readonly (string | number)[],
): GraphQLInputType {
  let reached: GraphQLInputType = type;
  for (const key of path) {
    const nullable: GraphQLInputType = getNullableType(reached);
    if (typeof key === 'number') {
      // GraphQL coerces a single value to a list of one element.
      if (isListType(nullable)) reached = nullable.ofType;
      continue;
    }
    const next = isInputObjectType(nullable) ? nullable.getFields()[key]?.type : undefined;
    // If the object has no such field, the allowed values are those of the object.
    if (!next) return reached;
    reached = next;
  }
  return reached;
}
