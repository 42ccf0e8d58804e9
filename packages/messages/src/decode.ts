import { isUtf8 } from 'node:buffer';
import * as z from 'zod';

/** A decoded message, or the reason for a dead letter. */
export type Decoded<T> =
  | { readonly ok: true; readonly message: T }
  | { readonly ok: false; readonly reason: string };

/**
 * A UUID in any letter case and of any version, because other systems send such UUIDs and
 * PostgreSQL accepts them. The result is in lower case, which PostgreSQL uses too.
 */
export const uuid = z.guid('must be a UUID').transform((id) => id.toLowerCase());

/**
 * A time in any format that Date.parse accepts. ISO 8601 is not required, because other systems
 * also send other formats.
 */
export const time = z
  .string('must be a string')
  .refine((text) => !Number.isNaN(Date.parse(text)), 'must be a time in ISO 8601');

/**
 * Decodes a record's value and validates it by a schema. Unknown fields are ignored. Never throws.
 */
export function decodeWith<T>(schema: z.ZodType<T>, value: Uint8Array | null): Decoded<T> {
  if (value === null) return { ok: false, reason: 'the value is null' };
  if (!isUtf8(value)) return { ok: false, reason: 'the value is not UTF-8' };
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(value.buffer, value.byteOffset, value.length).toString());
  } catch {
    return { ok: false, reason: 'the value is not JSON' };
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return { ok: true, message: parsed.data };
  const reasons = parsed.error.issues.map((issue) => {
    const field = issue.path.join('.');
    return field === '' ? `the value ${issue.message}` : `${field} ${issue.message}`;
  });
  return { ok: false, reason: reasons.join('; ') };
}

/**
 * Whether PostgreSQL can store a text: PostgreSQL accepts neither NUL nor half a surrogate pair.
 */
export function isStorableText(text: string): boolean {
  return !text.includes('\u0000') && text.isWellFormed();
}

/** Counts the characters of a text as PostgreSQL does: each code point is one character. */
export function characters(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}
