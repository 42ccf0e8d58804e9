import { hkdfSync } from 'node:crypto';
import { EncryptJWT, jwtDecrypt } from 'jose';
import { decodeIdentity, encodeIdentity } from './identity/identity.ts';
import { invalidToken } from './token-error.ts';
import type { Principal } from './verify-token.ts';

/** How long a ticket opens something, in seconds; what it has opened lasts as long as its token. */
export const TICKET_S = 30;

/**
 * Stand for a token where none can be sent, such as in an address that `EventSource` opens: addresses
 * are logged on their way, so a ticket is soon worth nothing, and tells nobody whose it is.
 */
export interface Tickets {
  readonly issue: (caller: Principal) => Promise<string>;
  /** @throws {ServiceError} UNAUTHENTICATED */
  readonly redeem: (ticket: string) => Promise<Principal>;
}

/** @param secrets the same in all processes that take each other's tickets; the first one encrypts */
export function createTickets(secrets: readonly string[]): Tickets {
  const keys = secrets.map(
    (secret) => new Uint8Array(hkdfSync('sha256', secret, '', 'gudang tickets', 32)),
  );
  return {
    issue: ({ identity, expiresAt }) => {
      const [key] = keys;
      if (!key) throw new Error('Tickets need a secret');
      return new EncryptJWT({ who: encodeIdentity(identity), until: expiresAt })
        .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
        .setExpirationTime(`${TICKET_S} s`)
        .encrypt(key);
    },
    redeem: async (ticket) => {
      for (const key of keys) {
        const read = await jwtDecrypt(ticket, key, { requiredClaims: ['exp'] }).catch(
          () => undefined,
        );
        if (!read) continue;
        const { who, until } = read.payload;
        return { identity: decodeIdentity(String(who)), expiresAt: Number(until) };
      }
      throw invalidToken(`the ticket is none, or older than ${TICKET_S} s: get another`);
    },
  };
}
