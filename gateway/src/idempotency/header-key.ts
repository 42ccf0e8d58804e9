import { ALLOWED_IDEMPOTENCY_KEY, onlyIdempotencyKey } from '@gudang/runtime';
import {
  Kind,
  type OperationDefinitionNode,
  parse,
  print,
  separateOperations,
  type ValueNode,
  valueFromASTUntyped,
} from 'graphql';
import { badRequest } from '../errors/request-error.ts';
import type { JsonObject } from '../requests/graphql-request.ts';
import { isObject } from '../requests/request-fields.ts';
import type { LoadedSupergraph } from '../supergraph.ts';
import { insertVariable, type TextWithVariable } from './insert-variable.ts';
import { type KeyPlace, readKeyPlaces } from './key-places.ts';
import {
  cannotHonor,
  findKeySlot,
  type KeySlot,
  missingInput,
  type OwnDocument,
  onlyRootField,
} from './key-slot.ts';

/** The parts of a request that the key may change. */
export interface KeyedMutation {
  readonly query: string;
  readonly variables: JsonObject;
}

/**
 * Passes the header `Idempotency-Key` of a mutation to the argument that the schema marks. The key goes
 * into a variable, never into the text, so that mutations with different keys share their plan.
 * @param keys the values of the header
 * @returns the given mutation itself if it is invalid or already contains the key
 * @throws {RequestError} 400 if the key cannot be passed, or if the mutation contains another key
 */
export type PassHeaderKey = (
  keys: readonly string[],
  mutation: KeyedMutation,
  parsed: OwnDocument,
) => KeyedMutation;

/** Creates the function for one supergraph. It analyzes each cached operation once. */
export function createPassHeaderKey(
  supergraph: Pick<LoadedSupergraph, 'model' | 'apiSchema'>,
): PassHeaderKey {
  const places = readKeyPlaces(supergraph);
  const known = new WeakMap<OperationDefinitionNode, Analyzed>();
  return (keys, mutation, parsed) => {
    const key = onlyIdempotencyKey(keys);
    // A subgraph may take an empty key for a missing one.
    if (!key) throw INVALID_HEADER;
    let analyzed = known.get(parsed.operation);
    if (!analyzed) {
      analyzed = analyze(mutation.query, parsed, places);
      known.set(parsed.operation, analyzed);
    }
    return passKey(key, mutation, analyzed);
  };
}

const INVALID_HEADER = badRequest(`Idempotency-Key must be ${ALLOWED_IDEMPOTENCY_KEY}`);

/** A mutation's slot, and the text that has a variable of its own for the key. */
interface Analyzed {
  readonly slot: KeySlot;
  readonly withVariable: TextWithVariable | undefined;
}

function analyze(
  query: string,
  parsed: OwnDocument,
  places: ReadonlyMap<string, KeyPlace | undefined>,
): Analyzed {
  const own = withoutOthers(query, parsed);
  const root = onlyRootField(own);
  const field = root?.name.value ?? '';
  const place = places.get(field);
  if (!root || !places.has(field)) return { slot: { kind: 'invalid' }, withVariable: undefined };
  if (!place) throw cannotHonor(`'${field}' takes no idempotency key. Remove the header.`);
  const slot = findKeySlot(root, place.path, own);
  const needsVariable =
    slot.kind === 'gap' ||
    (slot.kind === 'variable' && slot.isShared) ||
    (slot.kind === 'value' && slot.value.kind === Kind.NULL);
  return {
    slot,
    withVariable: needsVariable
      ? insertVariable(own.text, own.operation, slot, place.type)
      : undefined,
  };
}

/** Removes other operations, which may use the same fragments but do not have the new variable. */
function withoutOthers(text: string, parsed: OwnDocument): OwnDocument & { readonly text: string } {
  const separated = separateOperations(parsed.document);
  const only = separated[parsed.operation.name?.value ?? ''];
  if (!only || Object.keys(separated).length < 2) return { ...parsed, text };
  const printed = print(only);
  const document = parse(printed);
  const operation = document.definitions.find(
    (one): one is OperationDefinitionNode => one.kind === Kind.OPERATION_DEFINITION,
  );
  return { document, operation: operation ?? parsed.operation, text: printed };
}

function passKey(
  key: string,
  mutation: KeyedMutation,
  { slot, withVariable }: Analyzed,
): KeyedMutation {
  const { query, variables } = mutation;
  const inOwnVariable = (value: unknown): KeyedMutation =>
    withVariable
      ? { query: withVariable.query, variables: { ...variables, [withVariable.variable]: value } }
      : mutation;
  switch (slot.kind) {
    case 'invalid':
      return mutation;
    case 'gap':
      return inOwnVariable(key);
    case 'value':
      return isUnset(literal(slot.value), key) ? inOwnVariable(key) : mutation;
    case 'variable': {
      const name = slot.definition.variable.name.value;
      const given = Object.hasOwn(variables, name)
        ? variables[name]
        : slot.definition.defaultValue && literal(slot.definition.defaultValue);
      const value = withKey(given, [name, ...slot.path], key);
      if (value === given) return mutation;
      return slot.isShared
        ? inOwnVariable(value)
        : { query, variables: { ...variables, [name]: value } };
    }
  }
}

function literal(value: ValueNode): unknown {
  return valueFromASTUntyped(value);
}

/**
 * Returns a variable's value with the key. Returns the value itself if it contains the key, or if it does
 * not fit its type.
 * @param path the variable's name, followed by the names of the input fields inside its value
 */
function withKey(value: unknown, [name = '', inner, ...rest]: string[], key: string): unknown {
  if (inner === undefined) return isUnset(value, key) ? key : value;
  if (value === undefined || value === null) throw missingInput(name);
  if (!isObject(value)) return value;
  const given = Object.hasOwn(value, inner) ? value[inner] : undefined;
  const changed = withKey(given, [inner, ...rest], key);
  return changed === given ? value : { ...value, [inner]: changed };
}

/**
 * Whether an argument has no value, so that it takes the key of the header.
 * @throws {RequestError} 400 if its value is another key
 */
function isUnset(value: unknown, key: string): boolean {
  if (value === undefined || value === null) return true;
  const isKey = typeof value === 'string' || typeof value === 'number';
  // Validation rejects other values.
  if (isKey && String(value) !== key) throw OTHER_KEY;
  return false;
}

const OTHER_KEY = cannotHonor('the mutation contains another idempotency key. Send one of them.');
