import {
  type ArgumentNode,
  type DocumentNode,
  type FieldNode,
  Kind,
  type ObjectFieldNode,
  type ObjectValueNode,
  type OperationDefinitionNode,
  type SelectionSetNode,
  type ValueNode,
  type VariableDefinitionNode,
  type VariableNode,
  visit,
} from 'graphql';
import { badRequest, type RequestError } from '../errors/request-error.ts';

/** The part of a mutation into which the key goes. */
export type KeySlot =
  /** The argument, or an input object around it, is a variable. */
  | {
      readonly kind: 'variable';
      readonly definition: VariableDefinitionNode;
      /** Names of the input fields inside the variable's value. Empty if the value is the key. */
      readonly path: readonly string[];
      /** Whether the variable has further uses. */
      readonly isShared: boolean;
      readonly value: VariableNode;
    }
  /** The argument's value is written in the text. */
  | { readonly kind: 'value'; readonly value: ValueNode }
  /** The argument is missing. */
  | { readonly kind: 'gap'; readonly holder: FieldNode | ObjectValueNode; readonly name: string }
  /** The mutation is invalid, and validation will reject it. */
  | { readonly kind: 'invalid' };

const INVALID: KeySlot = { kind: 'invalid' };

/** An operation with its document, which contains no other operation. */
export interface OwnDocument {
  readonly document: DocumentNode;
  readonly operation: OperationDefinitionNode;
}

/**
 * Returns a mutation's only root field, also if it is in a fragment. `__typename` does not count.
 * @throws {RequestError} 400 if there are several root fields
 */
export function onlyRootField({ document, operation }: OwnDocument): FieldNode | undefined {
  const found = new Set<FieldNode>();
  const spread = new Set<string>();
  const collect = ({ selections }: SelectionSetNode): void => {
    for (const one of selections) {
      if (one.kind === Kind.FIELD) {
        if (one.name.value !== '__typename') found.add(one);
      } else if (one.kind === Kind.INLINE_FRAGMENT) {
        collect(one.selectionSet);
      } else if (!spread.has(one.name.value)) {
        spread.add(one.name.value);
        for (const each of document.definitions) {
          if (each.kind !== Kind.FRAGMENT_DEFINITION) continue;
          if (each.name.value === one.name.value) collect(each.selectionSet);
        }
      }
    }
  };
  collect(operation.selectionSet);
  const [root, ...others] = found;
  if (others.length > 0) {
    throw cannotHonor(
      'the mutation has several root fields. Send each in a request of its own, or pass the keys as arguments.',
    );
  }
  return root;
}

/**
 * Finds the slot of a mutation's key.
 * @param path name of the argument, followed by the names of the input fields inside it
 * @throws {RequestError} 400 if an input object that contains the key is missing
 */
export function findKeySlot(
  root: FieldNode,
  path: readonly string[],
  parsed: OwnDocument,
): KeySlot {
  let holder: FieldNode | ObjectValueNode = root;
  for (const [index, name] of path.entries()) {
    const members: readonly (ArgumentNode | ObjectFieldNode)[] =
      holder.kind === Kind.FIELD ? (holder.arguments ?? []) : holder.fields;
    const value = members.find((member) => member.name.value === name)?.value;
    const inner = path.slice(index + 1);
    if (value?.kind === Kind.VARIABLE) return variableSlot(value, inner, parsed);
    if (inner.length === 0) return value ? { kind: 'value', value } : { kind: 'gap', holder, name };
    if (!value || value.kind === Kind.NULL) throw missingInput(name);
    if (value.kind !== Kind.OBJECT) return INVALID;
    holder = value;
  }
  return INVALID;
}

function variableSlot(
  value: VariableNode,
  path: readonly string[],
  { document, operation }: OwnDocument,
): KeySlot {
  const name = value.name.value;
  const definition = operation.variableDefinitions?.find(
    ({ variable }) => variable.name.value === name,
  );
  if (!definition) return INVALID;
  let uses = 0;
  visit(document, {
    VariableDefinition: () => false,
    Variable: (one) => {
      if (one.name.value === name) uses += 1;
    },
  });
  return { kind: 'variable', definition, path, isShared: uses > 1, value };
}

/** Creates the error for a mutation without the input object that contains the key. */
export function missingInput(name: string): RequestError {
  return cannotHonor(`'${name}', which contains the key, is missing.`);
}

export function cannotHonor(reason: string): RequestError {
  return badRequest(`The header Idempotency-Key cannot be honored: ${reason}`);
}
