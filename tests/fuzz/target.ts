import { signToken } from '@gudang/auth/testing';
import { SECURED } from '@gudang/testing/clients/callers';
import type { SystemOptions } from '@gudang/testing/system/system';

/** As on the internet: tokens are asked for, and strangers explore nothing. */
export const HARDENED = {
  all: SECURED,
  gateway: { NODE_ENV: 'production' },
} as const satisfies SystemOptions['environment'];

/** Somebody who may do everything, for as long as a run may take. */
export async function fullAuthorization(): Promise<string> {
  const claims = { sub: 'Fuzz', scope: 'order:write order:read:all stock:write' };
  return `Bearer ${await signToken(claims, { expiresIn: 24 * 3600 })}`;
}
