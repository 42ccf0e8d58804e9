import { z } from 'zod';

/** Who asks, as far as the gateway has proved it. */
export interface Identity {
  /** The user; absent: unknown, or of no concern to what is asked. */
  readonly subject?: string | undefined;
  /** That there is a subject, where it is held back because others share what is asked. */
  readonly authenticated?: true | undefined;
  /** What they may do. */
  readonly scopes: readonly string[];
  /** Nobody is told apart, and everybody may do everything. Never a part of any message. */
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

/** What a message says of who asks; anonymous when it says nothing that can be read. */
export function parseIdentity(value: unknown): Identity {
  const read = identity.safeParse(value);
  return read.success ? read.data : ANONYMOUS;
}

/** For a header: JSON in base64url, since a subject may hold any character. */
export function encodeIdentity({ subject, authenticated, scopes }: Identity): string {
  const text = JSON.stringify({ subject, authenticated, scopes });
  return Buffer.from(text).toString('base64url');
}

/** The opposite; anonymous for a text that is none. */
export function decodeIdentity(text: string): Identity {
  try {
    return parseIdentity(JSON.parse(Buffer.from(text, 'base64url').toString()));
  } catch {
    return ANONYMOUS;
  }
}
