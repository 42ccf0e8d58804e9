import {
  type ConstDirectiveNode,
  type DocumentNode,
  Kind,
  parse,
  type SelectionSetNode,
} from 'graphql';

/** What the subgraphs' directives say about fields. Fields are named as `Type.field`. */
export interface GraphFacts {
  /** Selections that computed fields require. */
  readonly requires: ReadonlyMap<string, SelectionSetNode>;
  /** Fields that other fields or keys require; such a field is not allowed to fail. */
  readonly required: ReadonlySet<string>;
  /** Fields that a subgraph must not be asked for, as `subgraph Type.field`. */
  readonly overridden: ReadonlySet<string>;
}

/** Parses a selection without braces, such as `id owner { id }`. */
export function parseFields(fields: string): SelectionSetNode {
  const [operation] = parse(`{ ${fields} }`, { noLocation: true }).definitions;
  if (operation?.kind !== Kind.OPERATION_DEFINITION) throw new Error(`not a selection: ${fields}`);
  return operation.selectionSet;
}

/** Returns the text of a directive's argument. */
export function textArgument(directive: ConstDirectiveNode, name: string): string | undefined {
  const value = directive.arguments?.find((one) => one.name.value === name)?.value;
  return value?.kind === Kind.STRING ? value.value : undefined;
}

export function readFacts(
  subgraphs: readonly { name: string; document: DocumentNode }[],
): GraphFacts {
  const requires = new Map<string, SelectionSetNode>();
  const required = new Set<string>();
  const overridden = new Set<string>();
  const addRequired = ({ selections }: SelectionSetNode): void => {
    for (const one of selections) {
      if (one.kind === Kind.FIELD) required.add(one.name.value);
      if (one.kind !== Kind.FRAGMENT_SPREAD && one.selectionSet) addRequired(one.selectionSet);
    }
  };
  for (const { document } of subgraphs) {
    for (const type of document.definitions) {
      if (type.kind !== Kind.OBJECT_TYPE_DEFINITION) continue;
      for (const field of type.fields ?? []) {
        const name = `${type.name.value}.${field.name.value}`;
        for (const directive of field.directives ?? []) {
          const fields = textArgument(directive, 'fields') ?? '';
          const from = textArgument(directive, 'from');
          if (directive.name.value === 'requires') {
            requires.set(name, parseFields(fields));
            addRequired(parseFields(fields));
          }
          if (directive.name.value === 'override') overridden.add(`${from} ${name}`);
        }
      }
    }
  }
  return { requires, required, overridden };
}
