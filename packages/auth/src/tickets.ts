import { hkdfSync } from 'node:crypto';
import type { Logger } from '@gudang/runtime';
import { EncryptJWT, jwtDecrypt } from 'jose';
import { decodeIdentity, encodeIdentity } from './identity/identity.ts';
import { createRefusalLog } from './refusal-log.ts';
import { invalidToken } from './token-error.ts';
import type { Principal } from './verify-token.ts';

/**
 * Validity of a ticket, in seconds. A stream that was opened with a ticket may last longer: until the
 * caller's token expires.
 */
export const TICKET_S = 30;

/**
 * Tickets replace tokens for clients that cannot send headers, such as `EventSource`: these clients send
 * a ticket in the URL. Proxies log URLs, so a ticket is encrypted and expires soon.
 */
export interface Tickets {
  readonly issue: (caller: Principal) => Promise<string>;
  /** @throws {ServiceError} UNAUTHENTICATED */
  readonly redeem: (ticket: string) => Promise<Principal>;
}

/**
 * @param secrets the secrets. The first secret encrypts new tickets. Processes that accept each other's
 *   tickets need the same secrets
 * @param log receives the reasons for which tickets are refused
 */
export function createTickets(
  secrets: readonly string[],
  log: Pick<Logger, 'info' | 'warn'>,
): Tickets {
  const recordRefusal = createRefusalLog(log);
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
      const error = invalidToken(`the ticket is invalid or older than ${TICKET_S} s; get another`);
      recordRefusal(error);
      throw error;
    },
  };
}
