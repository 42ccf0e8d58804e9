import {
  type ConstDirectiveNode,
  type DocumentNode,
  type FieldDefinitionNode,
  type FieldNode,
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
  /** Shares of executions in which a field has moved to a subgraph, by `subgraph Type.field`. */
  readonly moving: ReadonlyMap<string, number>;
  /** Arguments that have values of surrounding objects, by their field. */
  readonly contexts: ReadonlyMap<string, ContextArgument>;
}

/** An argument with `@fromContext`. */
export interface ContextArgument {
  readonly name: string;
  /** Selections on each type of the context. */
  readonly selection: SelectionSetNode;
}

/** Returns the field that gives a context's value for objects of a type; undefined for other types. */
export function contextField({ selection }: ContextArgument, type: string): FieldNode | undefined {
  for (const one of selection.selections) {
    if (one.kind !== Kind.INLINE_FRAGMENT || one.typeCondition?.name.value !== type) continue;
    const [field] = one.selectionSet.selections;
    if (field?.kind === Kind.FIELD) return field;
  }
  return undefined;
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
  const moving = new Map<string, number>();
  const contexts = new Map<string, ContextArgument>();
  const addRequired = ({ selections }: SelectionSetNode): void => {
    for (const one of selections) {
      if (one.kind === Kind.FIELD) required.add(one.name.value);
      if (one.kind !== Kind.FRAGMENT_SPREAD && one.selectionSet) addRequired(one.selectionSet);
    }
  };
  for (const { name: subgraph, document } of subgraphs) {
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
          if (directive.name.value !== 'override') continue;
          const share = /[\d.]+/.exec(textArgument(directive, 'label') ?? '')?.[0];
          if (share === undefined) overridden.add(`${from} ${name}`);
          else moving.set(`${subgraph} ${name}`, Number(share));
        }
        const context = readContext(field);
        if (context) {
          contexts.set(name, context);
          addRequired(context.selection);
        }
      }
    }
  }
  return { requires, required, overridden, moving, contexts };
}

/** Reads the argument of a field that has its value from a context. */
function readContext(field: FieldDefinitionNode): ContextArgument | undefined {
  for (const { name, directives = [] } of field.arguments ?? []) {
    const from = directives.find((one) => one.name.value === 'fromContext');
    const text = from && textArgument(from, 'field');
    if (text !== undefined) {
      return { name: name.value, selection: parseFields(text.replace(/^\$\w+/, '')) };
    }
  }
  return undefined;
}
