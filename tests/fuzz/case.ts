import { signToken } from '@gudang/auth/testing';
import { SECURED } from '@gudang/testing/clients/callers';
import type { Random } from '@gudang/testing/random';
import type { System, SystemOptions } from '@gudang/testing/system/system';

/** System under test. */
export interface Target {
  readonly system: System;
  /** Value of the Authorization header: a bearer token with all scopes. */
  readonly authorization: string;
}

/** Sends a hostile input. @returns the defect in the response; undefined if there is none */
export type FuzzCase = (random: Random, target: Target) => Promise<string | undefined>;

/** Pattern of text that reveals implementation details. */
const INTERNAL =
  /\n\s+at |node_modules|\/(?:src|dist)\/|\.[tj]s:\d|prisma|pg_|ECONN|SQLSTATE|kafkajs|(?:Type|Range|Reference)Error|Cannot read prop|undefined is not|call stack/i;
const SERVER_ERROR = /"(?:INTERNAL_SERVER_ERROR|UNAVAILABLE)"|Internal error/;
/** Error code of a request that the overload protection rejects. Such a rejection is no defect. */
const SHED = /"OVERLOADED"/;

/**
 * Returns the defect in a response. A response may reject the request, but must not report a server
 * error or reveal implementation details.
 */
export function judgeAnswer(status: number, text: string): string | undefined {
  if (status === 503 && SHED.test(text)) return undefined;
  const start = text.slice(0, 300);
  if (status >= 500) return `status ${status}: ${start}`;
  if (SERVER_ERROR.test(text)) return `reports a server error: ${start}`;
  const inside = INTERNAL.exec(text);
  return inside ? `reveals internals (${inside[0].trim()}): ${start}` : undefined;
}

/** Time after which a request without a response counts as hanging, in milliseconds. */
export const RESPONSE_TIMEOUT_MS = 20_000;

/** Sends a POST request. @returns the defect in the response; undefined if there is none */
export async function judgePost(
  url: string,
  body: string,
  headers: Readonly<Record<string, string>>,
): Promise<string | undefined> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
    signal: AbortSignal.timeout(RESPONSE_TIMEOUT_MS),
  });
  return judgeAnswer(response.status, await response.text());
}

/** Settings of a public deployment: tokens are required, and introspection is disabled. */
export const HARDENED = {
  all: SECURED,
  gateway: { NODE_ENV: 'production' },
} as const satisfies SystemOptions['environment'];

/** Returns an Authorization header with all scopes, which is valid during the whole run. */
export async function fullAuthorization(): Promise<string> {
  const claims = { sub: 'Fuzz', scope: 'order:write order:read:all stock:write' };
  return `Bearer ${await signToken(claims, { expiresIn: 24 * 3600 })}`;
}
