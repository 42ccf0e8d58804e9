import {
  type ConstDirectiveNode,
  type DocumentNode,
  Kind,
  type ObjectTypeDefinitionNode,
  type SelectionNode,
} from 'graphql';
import { type HiddenFields, parseFieldSet } from './hidden-fields.ts';

/**
 * The fields in a plan that give each place of a representation its value: one, or one for each of several
 * types. Places have real names.
 */
export type Variants = ReadonlyMap<string, ReadonlySet<string>>;

/** Values that the fields of a subgraph require. */
export interface RequiredVariants {
  readonly ofField: (subgraph: string, type: string, field: string) => Variants;
}

/** Reads the requirements of all fields from a supergraph with hidden fields. */
export function readRequiredVariants(
  { definitions }: DocumentNode,
  hidden: HiddenFields,
): RequiredVariants {
  const graphs = new Map<string, string>();
  const fields = new Map<string, Variants>();
  const related = new Map<string, Set<string>>();
  for (const type of definitions) {
    if (type.kind === Kind.ENUM_TYPE_DEFINITION && type.name.value === 'join__Graph') {
      for (const { name, directives = [] } of type.values ?? []) {
        const subgraph = directives.map((one) => stringOf(one, 'name')).find(Boolean);
        if (subgraph !== undefined) graphs.set(subgraph, name.value);
      }
    }
    if (!isComposite(type)) continue;
    const { value: name } = type.name;
    for (const { name: other } of type.interfaces ?? []) {
      addTo(related, name, other.value);
      addTo(related, other.value, name);
    }
    for (const field of type.fields ?? []) {
      for (const { graph, text } of argumentsIn(field.directives, 'join__field', 'requires')) {
        const variants = placesIn(parseFieldSet(text), hidden);
        fields.set(`${graph} ${name}.${field.name.value}`, variants);
      }
    }
  }
  const typesOf = (type: string): readonly string[] => [type, ...(related.get(type) ?? [])];
  return {
    ofField: (subgraph, type, field) => {
      const graph = graphs.get(subgraph);
      const found = new Map<string, Set<string>>();
      for (const one of typesOf(type)) {
        for (const [place, names] of fields.get(`${graph} ${one}.${field}`) ?? []) {
          for (const name of names) addTo(found, place, name);
        }
      }
      return found;
    },
  };
}

/** Returns the fields of a field set by their places. */
function placesIn(
  selections: readonly SelectionNode[],
  hidden: HiddenFields,
  path = '',
  found = new Map<string, Set<string>>(),
): Map<string, Set<string>> {
  for (const one of selections) {
    if (one.kind === Kind.INLINE_FRAGMENT)
      placesIn(one.selectionSet.selections, hidden, path, found);
    if (one.kind !== Kind.FIELD) continue;
    const name = one.name.value;
    const place = `${path}.${hidden.get(name)?.name ?? name}`;
    addTo(found, place, name);
    if (one.selectionSet) placesIn(one.selectionSet.selections, hidden, place, found);
  }
  return found;
}

function addTo(sets: Map<string, Set<string>>, key: string, value: string): void {
  sets.set(key, (sets.get(key) ?? new Set()).add(value));
}

type Composite = Pick<ObjectTypeDefinitionNode, 'name' | 'interfaces' | 'directives' | 'fields'>;

function isComposite(node: DocumentNode['definitions'][number]): node is typeof node & Composite {
  return node.kind === Kind.OBJECT_TYPE_DEFINITION || node.kind === Kind.INTERFACE_TYPE_DEFINITION;
}

/** Returns the texts of an argument of a directive, with the graphs to which they apply. */
function argumentsIn(
  directives: readonly ConstDirectiveNode[] = [],
  directive: string,
  argument: string,
) {
  return directives.flatMap((one) => {
    const text = one.name.value === directive ? stringOf(one, argument) : undefined;
    return text === undefined ? [] : [{ graph: stringOf(one, 'graph') ?? '', text }];
  });
}

function stringOf({ arguments: given = [] }: ConstDirectiveNode, name: string): string | undefined {
  const value = given.find((one) => one.name.value === name)?.value;
  return value?.kind === Kind.STRING || value?.kind === Kind.ENUM ? value.value : undefined;
}
