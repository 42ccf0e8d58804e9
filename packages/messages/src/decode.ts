import { isUtf8 } from 'node:buffer';
import { z } from 'zod';

/** A record read, or the reason why it cannot be: the text that its dead letter carries. */
export type Decoded<T> =
  | { readonly ok: true; readonly message: T }
  | { readonly ok: false; readonly reason: string };

/**
 * A UUID in any letter case, of any version or none, as other systems make them and PostgreSQL
 * takes them; kept in lower case, as it writes them.
 */
export const uuid = z.guid('must be a UUID').transform((id) => id.toLowerCase());

/** ISO 8601, or what else Date.parse reads: other systems write their own. */
export const time = z
  .string('must be a string')
  .refine((text) => !Number.isNaN(Date.parse(text)), 'must be a time in ISO 8601');

/** Reads a record's value by a schema. Unknown fields are ignored. Never throws. */
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
