import * as z from 'zod';

/** The caller of an operation. The gateway has authenticated the caller. */
export interface Identity {
  /** The user's id. Undefined for an anonymous caller, and in a stream that several users share. */
  readonly subject?: string | undefined;
  /**
   * Set for a stream that several authenticated users share. Such a stream has no subject, so this field
   * shows instead that the users are authenticated.
   */
  readonly authenticated?: true | undefined;
  /** The caller's rights, such as `order:write`. */
  readonly scopes: readonly string[];
  /**
   * Set if authentication is disabled: every caller then has full access. This field is never part of a
   * message.
   */
  readonly unrestricted?: true | undefined;
}

export const ANONYMOUS: Identity = Object.freeze({ scopes: Object.freeze([]) });
export const UNRESTRICTED: Identity = Object.freeze({
  scopes: Object.freeze([]),
  unrestricted: true,
});

const identity = z.object({
  subject: z.string().min(1).optional(),
  authenticated: z.literal(true).optional(),
  scopes: z.array(z.string()),
});

/** Parses the identity in a message. Returns the anonymous identity if the value is invalid. */
export function parseIdentity(value: unknown): Identity {
  const read = identity.safeParse(value);
  return read.success ? read.data : ANONYMOUS;
}

/**
 * Encodes an identity for a header, as JSON in base64url, because a subject may contain characters that a
 * header must not contain.
 */
export function encodeIdentity({ subject, authenticated, scopes }: Identity): string {
  const text = JSON.stringify({ subject, authenticated, scopes });
  return Buffer.from(text).toString('base64url');
}

/** Decodes the identity in a header. Returns the anonymous identity if the header is invalid. */
export function decodeIdentity(text: string): Identity {
  try {
    return parseIdentity(JSON.parse(Buffer.from(text, 'base64url').toString()));
  } catch {
    return ANONYMOUS;
  }
}
