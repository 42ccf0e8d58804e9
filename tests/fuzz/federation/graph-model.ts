/** How one subgraph declares a field. */
export interface Placement {
  /** Whether the subgraph resolves the field: false for `@external` and for overridden fields. */
  readonly resolves: boolean;
  /** The field's directives, as printed. */
  readonly directives: readonly string[];
}

/** A field's type and arguments. Fields with the same name have the same ones in all types. */
export interface FieldSpec {
  readonly name: string;
  /** The type as printed, such as `[E0!]!`. */
  readonly type: string;
  /** The arguments as printed, such as `n: Int = 3`. */
  readonly args: readonly string[];
}

export interface FieldModel extends FieldSpec {
  /** Declarations by subgraph. */
  readonly at: Map<string, Placement>;
}

export interface KeyModel {
  readonly fields: string;
  readonly resolvable: boolean;
}

/** An entity, or an object type without keys. */
export interface ObjectModel {
  readonly kind: 'entity' | 'value';
  readonly name: string;
  /** All keys of the type. A subgraph declares some of them. */
  readonly keys: readonly string[];
  readonly fields: Map<string, FieldModel>;
  /** Declared keys by subgraph. */
  readonly at: Map<string, KeyModel[]>;
  /** The subgraph in which fields of objects inside have arguments from objects of this type. */
  contextIn?: string;
}

export interface AbstractModel {
  readonly kind: 'interface' | 'union';
  readonly name: string;
  /** Names of all object types that belong to it. */
  readonly members: readonly string[];
  /** Fields of an interface that some subgraphs declare. */
  readonly specs: readonly FieldSpec[];
  /** Its members by subgraph. */
  readonly at: Map<string, Set<string>>;
  /** Key of an interface that is an entity. */
  readonly key?: string;
  /** Subgraphs in which the interface is an object, with the fields that they add to it. */
  readonly objectIn: Map<string, Map<string, FieldModel>>;
}

export function isObjectModel(type: TypeModel | undefined): type is ObjectModel {
  return type?.kind === 'entity' || type?.kind === 'value';
}

export type TypeModel = ObjectModel | AbstractModel;

export const ROOTS = ['Query', 'Mutation', 'Subscription'] as const;
export type Root = (typeof ROOTS)[number];

/** A random federated graph: all types, and what each subgraph declares of them. */
export interface GraphModel {
  readonly seed: number;
  readonly subgraphs: readonly string[];
  readonly types: ReadonlyMap<string, TypeModel>;
  readonly roots: ReadonlyMap<Root, Map<string, FieldModel>>;
  /** Whether some fields fail. */
  readonly fails: boolean;
}

/** Returns the innermost name of a printed type. */
export function namedType(type: string): string {
  return type.replace(/[[\]!]/g, '');
}

/** Finds a field of an object type, or one that an interface object adds to it. */
export function findField(
  { types, roots }: GraphModel,
  type: string,
  field: string,
): FieldModel | undefined {
  const root = roots.get(type as Root)?.get(field);
  if (root) return root;
  const model = types.get(type);
  if (isObjectModel(model)) {
    const own = model.fields.get(field);
    if (own) return own;
  }
  for (const one of types.values()) {
    if (isObjectModel(one) || !(one.members.includes(type) || one.name === type)) continue;
    for (const fields of one.objectIn.values()) {
      const added = fields.get(field);
      if (added) return added;
    }
  }
  return undefined;
}

/** Returns the object types that a field may return: those that all its subgraphs know. */
export function runtimeTypes({ types }: GraphModel, field: FieldModel): readonly string[] {
  const type = types.get(namedType(field.type));
  if (!type) return [];
  if (isObjectModel(type)) return [type.name];
  const resolving = [...field.at].filter(([, { resolves }]) => resolves).map(([name]) => name);
  return type.members.filter((member) =>
    resolving.every((name) => type.objectIn.has(name) || type.at.get(name)?.has(member)),
  );
}
