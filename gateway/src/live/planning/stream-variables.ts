import { valueFromASTUntyped } from 'graphql';
import { findBadInput } from '../../errors/bad-input.ts';
import { coerceVariables as coerce } from '../../errors/invalid-variables.ts';
import { createNullCheck } from '../../errors/null-variables.ts';
import type { ParsedOperation } from '../../limits/operation-parser.ts';
import type { LoadedSupergraph } from '../../supergraph.ts';
import { SubscriptionError, type SubscriptionPlan } from './subscription-plan.ts';

/** Returns the cursor after which an operation continues: a variable's value or a literal. */
export function cursorOf(
  { cursor }: SubscriptionPlan,
  variables: Readonly<Record<string, unknown>>,
): string | undefined {
  if (!cursor) return undefined;
  const value = valueFromASTUntyped(cursor, variables);
  return value === null || value === undefined ? undefined : String(value);
}

/**
 * Coerces a client's variables and applies the operation's defaults.
 * @throws {SubscriptionError} BAD_USER_INPUT
 */
export function coerceVariables(
  { schema }: LoadedSupergraph,
  { document, operation }: ParsedOperation,
  given: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const { coerced, errors } = coerce(schema, operation, given);
  if (!errors) {
    const nulls = createNullCheck(schema, { document, operation })?.(coerced) ?? [];
    if (nulls.length > 0) throw new SubscriptionError(nulls);
    return coerced;
  }
  const badInput = findBadInput(errors, document, schema);
  for (const error of errors) Object.assign(error.extensions, badInput.get(error));
  throw new SubscriptionError(errors);
}

/** Picks the named variables that have a value. */
export function pick(
  from: Readonly<Record<string, unknown>>,
  names: readonly string[],
): Record<string, unknown> {
  const picked: Record<string, unknown> = {};
  for (const name of names) if (Object.hasOwn(from, name)) picked[name] = from[name];
  return picked;
}
