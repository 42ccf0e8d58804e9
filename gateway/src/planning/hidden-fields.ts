import {
  type ConstArgumentNode,
  type ConstDirectiveNode,
  type DocumentNode,
  type FieldDefinitionNode,
  type FieldNode,
  type InterfaceTypeDefinitionNode,
  Kind,
  type ObjectTypeDefinitionNode,
  parse,
  print,
  type SelectionNode,
  type TypeNode,
} from 'graphql';

/** A field without arguments that replaces a field with constant arguments. */
export interface HiddenField {
  /** Name of the field that subgraphs know. */
  readonly name: string;
  readonly arguments: readonly ConstArgumentNode[];
}

/** Hidden fields by their names. */
export type HiddenFields = ReadonlyMap<string, HiddenField>;

type TypeDefinition = ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode;

/**
 * Replaces fields with arguments in `requires:` by hidden fields without arguments, which it adds to their
 * types. Apollo's planner ignores such arguments: it fetches the field without them, or with those of the
 * client, and sends one value where two fields require different ones.
 *
 * Only the planner knows the hidden fields. `translate-plan.ts` replaces them in plans, so no subgraph
 * and no client ever sees one.
 */
export function hideArguments(supergraph: DocumentNode): {
  readonly document: DocumentNode;
  readonly hidden: HiddenFields;
} {
  const hiding = new Hiding(supergraph);
  const rewritten = supergraph.definitions.map((one) => (isType(one) ? hiding.rewrite(one) : one));
  if (hiding.fields.size === 0) return { document: supergraph, hidden: hiding.fields };
  const definitions = rewritten.map((one) => (isType(one) ? hiding.addFields(one) : one));
  return { document: { ...supergraph, definitions }, hidden: hiding.fields };
}

class Hiding {
  readonly fields = new Map<string, HiddenField>();
  readonly #types = new Map<string, TypeDefinition>();
  /** Names of hidden fields by the text of the replaced fields. */
  readonly #names = new Map<string, string>();
  /** Names of the hidden fields that each type needs. */
  readonly #needed = new Map<string, Set<string>>();
  readonly #prefix: string;

  constructor({ definitions }: DocumentNode) {
    for (const one of definitions) if (isType(one)) this.#types.set(one.name.value, one);
    let prefix = 'required_';
    const names = [...this.#types.values()].flatMap(({ fields = [] }) =>
      fields.map(({ name }) => name.value),
    );
    while (names.some((name) => name.startsWith(prefix))) prefix = `_${prefix}`;
    this.#prefix = prefix;
  }

  /** Replaces the fields with arguments in all `requires:` of a type. */
  rewrite<T extends TypeDefinition>(type: T): T {
    if (!type.fields?.some(({ directives }) => directives?.some(hasRequiredArguments))) return type;
    const fields = type.fields.map((field): FieldDefinitionNode => {
      if (!field.directives?.some(hasRequiredArguments)) return field;
      const directives = field.directives.map((one) =>
        hasRequiredArguments(one) ? this.#rewriteRequires(one, type.name.value) : one,
      );
      return { ...field, directives };
    });
    return { ...type, fields };
  }

  /** Adds the hidden fields to a type. They are resolved wherever the fields are for which they stand. */
  addFields<T extends TypeDefinition>(type: T): T {
    const needed = this.#needed.get(type.name.value);
    if (!needed) return type;
    const added = [...needed].flatMap((name): FieldDefinitionNode[] => {
      const real = type.fields?.find((field) => field.name.value === this.fields.get(name)?.name);
      if (!real) return [];
      const directives = real.directives?.filter((one) => one.name.value === 'join__field') ?? [];
      return [
        {
          kind: Kind.FIELD_DEFINITION,
          name: { kind: Kind.NAME, value: name },
          type: real.type,
          directives,
        },
      ];
    });
    return { ...type, fields: [...(type.fields ?? []), ...added] };
  }

  #rewriteRequires(directive: ConstDirectiveNode, type: string): ConstDirectiveNode {
    const rewritten = directive.arguments?.map((argument) => {
      const { name, value } = argument;
      if (name.value !== 'requires' || value.kind !== Kind.STRING) return argument;
      const text = printFieldSet(this.#hideIn(parseFieldSet(value.value), type));
      return { ...argument, value: { kind: Kind.STRING as const, value: text } };
    });
    return { ...directive, arguments: rewritten ?? [] };
  }

  #hideIn(selections: readonly SelectionNode[], type: string): readonly SelectionNode[] {
    return selections.map((one): SelectionNode => {
      if (one.kind === Kind.FRAGMENT_SPREAD) return one;
      if (one.kind === Kind.INLINE_FRAGMENT) {
        const on = one.typeCondition?.name.value ?? type;
        const inner = this.#hideIn(one.selectionSet.selections, on);
        return { ...one, selectionSet: { ...one.selectionSet, selections: inner } };
      }
      const field = this.#types
        .get(type)
        ?.fields?.find(({ name }) => name.value === one.name.value);
      const set = one.selectionSet;
      const inner = set && field && this.#hideIn(set.selections, namedType(field.type));
      const selectionSet = inner && { ...set, selections: inner };
      const own = selectionSet ? { ...one, selectionSet } : one;
      if (!one.arguments?.length) return own;
      const value = this.#hide(one, type);
      return { ...own, name: { kind: Kind.NAME, value }, arguments: [] };
    });
  }

  /** Returns the name of the hidden field that replaces a field of a type with its arguments. */
  #hide({ name: { value: name }, arguments: given = [] }: FieldNode, type: string): string {
    const key = `${name}(${given.map(print).sort().join(',')})`;
    const known = this.#names.get(key);
    const hidden = known ?? `${this.#prefix}${this.#names.size}_${name}`;
    this.#names.set(key, hidden);
    this.fields.set(hidden, { name, arguments: given as readonly ConstArgumentNode[] });
    for (const each of this.#withImplementations(type)) {
      this.#needed.set(each, (this.#needed.get(each) ?? new Set()).add(hidden));
    }
    return hidden;
  }

  #withImplementations(type: string): readonly string[] {
    if (this.#types.get(type)?.kind !== Kind.INTERFACE_TYPE_DEFINITION) return [type];
    const all = [...this.#types.values()].filter(({ interfaces = [] }) =>
      interfaces.some(({ name }) => name.value === type),
    );
    return [type, ...all.map(({ name }) => name.value)];
  }
}

function isType(node: DocumentNode['definitions'][number]): node is TypeDefinition {
  return node.kind === Kind.OBJECT_TYPE_DEFINITION || node.kind === Kind.INTERFACE_TYPE_DEFINITION;
}

function hasRequiredArguments({ name, arguments: given = [] }: ConstDirectiveNode): boolean {
  if (name.value !== 'join__field') return false;
  return given.some(
    ({ name: { value: argument }, value }) =>
      argument === 'requires' && value.kind === Kind.STRING && value.value.includes('('),
  );
}

function namedType(type: TypeNode): string {
  return type.kind === Kind.NAMED_TYPE ? type.name.value : namedType(type.type);
}

/** Parses a field set, such as `id owner { name }`. */
export function parseFieldSet(text: string): readonly SelectionNode[] {
  const [definition] = parse(`{ ${text} }`, { noLocation: true }).definitions;
  return definition?.kind === Kind.OPERATION_DEFINITION ? definition.selectionSet.selections : [];
}

function printFieldSet(selections: readonly SelectionNode[]): string {
  return selections.map(print).join(' ');
}
