import { z } from 'zod';

/** Who asks, as far as the gateway has proved it. */
export interface Identity {
  /** The user; absent: unknown, or of no concern to what is asked. */
  readonly subject?: string | undefined;
  /** What they may do. */
  readonly scopes: readonly string[];
}

export const ANONYMOUS: Identity = Object.freeze({ scopes: Object.freeze([]) });

export function isAnonymous({ subject, scopes }: Identity): boolean {
  return subject === undefined && scopes.length === 0;
}

const identity = z.object({ subject: z.string().optional(), scopes: z.array(z.string()) });

/** What a message says of who asks; anonymous when it says nothing that can be read. */
export function readIdentity(value: unknown): Identity {
  const read = identity.safeParse(value);
  return read.success ? read.data : ANONYMOUS;
}

/** For a header: JSON in base64url, since a subject may hold any character. */
export function encodeIdentity(value: Identity): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

/** The opposite; anonymous for a text that is none. */
export function decodeIdentity(text: string): Identity {
  try {
    return readIdentity(JSON.parse(Buffer.from(text, 'base64url').toString()));
  } catch {
    return ANONYMOUS;
  }
}
