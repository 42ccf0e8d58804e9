import { characters, isStorableText } from '@gudang/messages';
import { badUserInput } from '@gudang/runtime';
import { z } from 'zod';

/**
 * Parses the arguments of a field.
 * @param schema a schema whose messages state the allowed values
 * @throws {ServiceError} BAD_USER_INPUT with the path of the first invalid argument
 */
export function parseArguments<T>(schema: z.ZodType<T>, given: unknown): T {
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw badUserInput(argumentPath(issue?.path ?? []), issue?.message ?? 'something else');
}

/** Formats a path as the gateway does: `input.name`, `ids[1]`. */
function argumentPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>((before, step) => {
    if (typeof step === 'number') return `${before}[${step}]`;
    return before === '' ? String(step) : `${before}.${String(step)}`;
  }, '');
}

const grouped = new Intl.NumberFormat('en-US');

/** A text of `min` to `max` characters. A character is a code point, as in PostgreSQL. */
export function textOf({ min, max }: { min: number; max: number }): z.ZodType<string> {
  const allowed = `a text of ${min} to ${max} characters, without NUL or half a surrogate pair`;
  return z.string(allowed).refine((text) => {
    if (text.length > max * 2 || !isStorableText(text)) return false;
    const length = characters(text);
    return length >= min && length <= max;
  }, allowed);
}

/** A whole number from `min` to `max`, inclusive. */
export function wholeNumber({ min, max }: { min: number; max: number }): z.ZodType<number> {
  const allowed = `a whole number from ${grouped.format(min)} to ${grouped.format(max)}`;
  return z.int(allowed).min(min, allowed).max(max, allowed);
}

/** The argument `idempotencyKey` of mutations. */
export const idempotencyKey = textOf({ min: 1, max: 100 }).nullish();
