import { Kind, type OperationDefinitionNode, print } from 'graphql';
import type { KeySlot } from './key-slot.ts';

/** A mutation's text with a variable in its slot. */
export interface TextWithVariable {
  readonly query: string;
  /** The variable's name. */
  readonly variable: string;
}

interface Insertion {
  /** Range of the replaced characters. */
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/**
 * Puts a new variable into the slot of a mutation. It edits the text instead of printing the document, so
 * that errors still name the lines of the client's text.
 * @param query text of `operation`, without other operations
 * @param keyType type of the key
 */
export function insertVariable(
  query: string,
  operation: OperationDefinitionNode,
  slot: Exclude<KeySlot, { kind: 'invalid' }>,
  keyType: string,
): TextWithVariable {
  const variable = freeName(operation);
  // The new variable replaces a variable of any use of its value, so it has the same type.
  const type = slot.kind === 'variable' ? print(slot.definition.type) : keyType;
  const edits = [define(operation, `$${variable}: ${type}`), use(slot, `$${variable}`)];
  edits.sort((one, other) => other.start - one.start);
  const edited = edits.reduce(
    (text, edit) => text.slice(0, edit.start) + edit.text + text.slice(edit.end),
    query,
  );
  return { query: edited, variable };
}

function freeName({ variableDefinitions = [] }: OperationDefinitionNode): string {
  const taken = new Set(variableDefinitions.map(({ variable }) => variable.name.value));
  let name = 'idempotencyKey';
  while (taken.has(name)) name += '_';
  return name;
}

const KEYWORD = 'mutation'.length;

function define(
  { loc, name, variableDefinitions: [first] = [] }: OperationDefinitionNode,
  definition: string,
): Insertion {
  if (first) return before(first.loc?.start ?? 0, `${definition}, `);
  return before(name?.loc?.end ?? (loc?.start ?? 0) + KEYWORD, `(${definition})`);
}

function use(slot: Exclude<KeySlot, { kind: 'invalid' }>, variable: string): Insertion {
  if (slot.kind !== 'gap') {
    const { start = 0, end = 0 } = slot.value.loc ?? {};
    return { start, end, text: variable };
  }
  const { holder, name } = slot;
  const member = `${name}: ${variable}`;
  if (holder.kind === Kind.OBJECT) return before((holder.loc?.start ?? 0) + 1, `${member}, `);
  const [first] = holder.arguments ?? [];
  if (first) return before(first.loc?.start ?? 0, `${member}, `);
  return before(holder.name.loc?.end ?? 0, `(${member})`);
}

function before(start: number, text: string): Insertion {
  return { start, end: start, text };
}
