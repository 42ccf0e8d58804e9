import { type DocumentNode, parse, visit } from 'graphql';

/** Arguments of the supergraph's directives that name fields which a plan adds to those of a client. */
const FIELD_SETS: Readonly<Record<string, readonly string[]>> = {
  join__type: ['key'],
  join__field: ['requires', 'contextArguments'],
};

/**
 * Returns the names of all fields that a plan may select although the client has not: keys, fields
 * that other fields require, and values for contexts, at any depth.
 */
export function readRequiredNames(supergraph: DocumentNode): ReadonlySet<string> {
  const names = new Set(['__typename']);
  visit(supergraph, {
    Directive: ({ name, arguments: given = [] }) => {
      const read = FIELD_SETS[name.value] ?? [];
      for (const argument of given) {
        if (!read.includes(argument.name.value)) continue;
        visit(argument.value, { StringValue: ({ value }) => addNames(value, names) });
      }
      return false;
    },
  });
  return names;
}

/** Adds the names of a field set's fields. Some field sets have their braces, and others do not. */
function addNames(fieldSet: string, names: Set<string>): void {
  for (const text of [`{ ${fieldSet} }`, fieldSet]) {
    try {
      visit(parse(text, { noLocation: true }), {
        Field: ({ name }) => void names.add(name.value),
      });
      return;
    } catch {
      // The text has braces, or it is the name or type of a context's argument.
    }
  }
}
