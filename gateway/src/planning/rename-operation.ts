import { type DocumentNode, type FieldNode, Kind, type NameNode, visit } from 'graphql';
import type { ReplacedNames } from '../plan-execution/replaced-names.ts';

/** Variables that plans declare themselves. */
const OWN_VARIABLES = /^(representations$|contextualArgument_)/;
const INTROSPECTION = new Set(['__schema', '__type']);

/** An operation whose names no plan uses for something else. */
export interface RenamedOperation {
  readonly document: DocumentNode;
  /** Undefined if no name was replaced. */
  readonly replaced: ReplacedNames | undefined;
}

/**
 * Creates a function that replaces the names of a client that would change what a plan fetches.
 *
 * Apollo's planner adds keys and required fields under their own names, and merges them with the client's
 * fields by response name. So `id: name` would become the key, or make the subgraph reject the request.
 * This function replaces each response name that equals such a field, unless it is this field without
 * arguments; and variables that plans declare themselves. It does not change the selections: fields with the
 * same response name keep a common one. Most operations have no such name; for them it returns the given
 * document.
 * @param required names of the fields that plans may add
 */
export function createRenaming(
  required: ReadonlySet<string>,
): (document: DocumentNode) => RenamedOperation {
  const isReplaced = ({ alias, name, arguments: given }: FieldNode): boolean => {
    const isPlain = (!alias || alias.value === name.value) && !given?.length;
    return !isPlain && required.has((alias ?? name).value);
  };
  return (document) => {
    const { hasReplaced, names } = readNames(document, isReplaced);
    if (!hasReplaced) return { document, replaced: undefined };
    const prefix = findFreePrefix(names, required);
    const responses = new Map<string, string>();
    const variables = new Map<string, string>();
    const renamed: DocumentNode = visit(document, {
      Field: {
        enter: (field) => {
          if (INTROSPECTION.has(field.name.value)) return false;
          if (!isReplaced(field)) return undefined;
          const given = (field.alias ?? field.name).value;
          responses.set(prefix + given, given);
          return { ...field, alias: nameNode(prefix + given) };
        },
      },
      Variable: ({ name: { value: given } }) => {
        if (!OWN_VARIABLES.test(given)) return undefined;
        variables.set(given, prefix + given);
        return { kind: Kind.VARIABLE, name: nameNode(prefix + given) };
      },
    });
    return { document: renamed, replaced: { responses, variables } };
  };
}

function readNames(document: DocumentNode, isReplaced: (field: FieldNode) => boolean) {
  const names = new Set<string>();
  let hasReplaced = false;
  visit(document, {
    Name: ({ value }) => void names.add(value),
    Field: (field) => {
      hasReplaced ||= isReplaced(field);
    },
    Variable: ({ name }) => {
      hasReplaced ||= OWN_VARIABLES.test(name.value);
    },
  });
  return { hasReplaced, names };
}

/** Finds a prefix with which no name of the operation and of the required fields begins. */
function findFreePrefix(...taken: ReadonlySet<string>[]): string {
  let prefix = 'renamed_';
  while (taken.some((names) => [...names].some((name) => name.startsWith(prefix)))) {
    prefix = `a${prefix}`;
  }
  return prefix;
}

function nameNode(value: string): NameNode {
  return { kind: Kind.NAME, value };
}
