import { z } from 'zod';

/** The caller of an operation, as the gateway authenticated it. */
export interface Identity {
  /** The user. Undefined for an anonymous caller, and in streams that several users share. */
  readonly subject?: string | undefined;
  /** Whether the caller is authenticated. Set in streams that several users share, which have no subject. */
  readonly authenticated?: true | undefined;
  /** The caller's rights, such as `order:write`. */
  readonly scopes: readonly string[];
  /** Authentication is disabled: every caller has full access. Never part of a message. */
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

/** Parses an identity in a message. Returns the anonymous identity if it is invalid. */
export function parseIdentity(value: unknown): Identity {
  const read = identity.safeParse(value);
  return read.success ? read.data : ANONYMOUS;
}

/** Encodes an identity for a header, as JSON in base64url, because a subject may contain any character. */
export function encodeIdentity({ subject, authenticated, scopes }: Identity): string {
  const text = JSON.stringify({ subject, authenticated, scopes });
  return Buffer.from(text).toString('base64url');
}

/** Decodes an identity from a header. Returns the anonymous identity if it is invalid. */
export function decodeIdentity(text: string): Identity {
  try {
    return parseIdentity(JSON.parse(Buffer.from(text, 'base64url').toString()));
  } catch {
    return ANONYMOUS;
  }
}
