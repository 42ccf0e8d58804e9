import { characters, isStorableText } from '@gudang/messages';
import { type InvalidArgument, invalidArguments, invalidIn } from '@gudang/runtime';
import * as z from 'zod';

/**
 * Parses the arguments of a field.
 * @param schema a schema whose messages state the allowed values
 * @param at path of the value, which begins the paths of its members in errors; default: none
 * @throws {ServiceError} BAD_USER_INPUT with all invalid arguments
 */
export function parseArguments<T>(schema: z.ZodType<T>, given: unknown, at = ''): T {
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  throw invalidArguments(
    parsed.error.issues.map((issue) => ({
      argument: argumentPath(at, issue.path),
      allowed: issue.message,
      problem: problemOf(issue, valueAt(given, issue.path)),
    })),
  );
}

/**
 * Runs several functions that parse different arguments of one field, so that the error names the invalid
 * arguments of all of them.
 * @throws {ServiceError} BAD_USER_INPUT with all invalid arguments; the first other error
 */
export function parseTogether<T extends Record<string, () => unknown>>(
  parsers: T,
): { [K in keyof T]: ReturnType<T[K]> } {
  const parsed: Partial<Record<keyof T, unknown>> = {};
  const invalid: InvalidArgument[] = [];
  for (const [name, parse] of Object.entries(parsers)) {
    try {
      parsed[name as keyof T] = parse();
    } catch (error) {
      const found = invalidIn(error);
      if (!found) throw error;
      invalid.push(...found);
    }
  }
  if (invalid.length > 0) throw invalidArguments(invalid);
  return parsed as { [K in keyof T]: ReturnType<T[K]> };
}

/** Formats a path as the gateway does: `input.name`, `ids[1]`. */
function argumentPath(at: string, path: readonly PropertyKey[]): string {
  return path.reduce<string>((before, step) => {
    if (typeof step === 'number') return `${before}[${step}]`;
    return before === '' ? String(step) : `${before}.${String(step)}`;
  }, at);
}

function valueAt(given: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, step) => (value as Record<PropertyKey, unknown> | null | undefined)?.[step],
    given,
  );
}

const grouped = new Intl.NumberFormat('en-US', { maximumFractionDigits: 20 });

/** Describes what is wrong with a value, for people. @returns undefined if `allowed` says it best */
function problemOf(issue: z.core.$ZodIssue, value: unknown): string | undefined {
  if (value === undefined || value === null) return 'is missing';
  if (issue.code === 'custom') return issue.params?.['problem']?.(value);
  if (typeof value === 'number') return `is ${grouped.format(value)}`;
  if (Array.isArray(value)) return `has ${grouped.format(value.length)} items`;
  return undefined;
}

/** A text of `min` to `max` characters. A character is a code point, as in PostgreSQL. */
export function textOf({ min, max }: { min: number; max: number }): z.ZodType<string> {
  const allowed = `a text of ${min} to ${max} characters`;
  const problem = (text: string): string => {
    if (text === '') return 'is empty';
    if (!isStorableText(text)) return 'contains a NUL character or half a surrogate pair';
    return `has ${grouped.format(characters(text))} characters`;
  };
  return z.string(allowed).refine(
    (text) => {
      if (text.length > max * 2 || !isStorableText(text)) return false;
      const length = characters(text);
      return length >= min && length <= max;
    },
    { error: allowed, params: { problem } },
  );
}

/** A whole number from `min` to `max`, inclusive. */
export function wholeNumber({ min, max }: { min: number; max: number }): z.ZodType<number> {
  const allowed = `a whole number from ${grouped.format(min)} to ${grouped.format(max)}`;
  return z.int(allowed).min(min, allowed).max(max, allowed);
}

/** The argument `idempotencyKey` of mutations. */
export const idempotencyKey = textOf({ min: 1, max: 100 }).nullish();
