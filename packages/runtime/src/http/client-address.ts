import type { IncomingMessage } from 'node:http';
import { isIPv6 } from 'node:net';
import proxyAddr from '@fastify/proxy-addr';

/** Returns the key under which a caller is counted: the principal, or the address if it is anonymous. */
export function callerKey(subject: string | undefined, address: string): string {
  return subject === undefined ? `address ${address}` : `subject ${subject}`;
}

/** Determines the client address to which limits apply. */
export interface ClientAddress {
  readonly of: (request: IncomingMessage) => string;
  /** Whether the peer is a trusted proxy, which names its clients in `X-Forwarded-For`. */
  readonly isProxy: (peer: string) => boolean;
}

/**
 * Creates a `ClientAddress` that trusts the given proxies.
 * @param proxies trusted proxies: addresses, ranges such as `10.0.0.0/8`, or `loopback`,
 * `linklocal`, `uniquelocal`
 */
export function createClientAddress(proxies: readonly string[]): ClientAddress {
  // Without trusted proxies, `X-Forwarded-For` is ignored and need not be parsed.
  if (proxies.length === 0) {
    return { of: ({ socket }) => addressGroup(socket.remoteAddress ?? ''), isProxy: () => false };
  }
  const isTrusted = proxyAddr.compile([...proxies]);
  return {
    of: (request) => addressGroup(proxyAddr(request, isTrusted) ?? ''),
    isProxy: (peer) => isTrusted(peer, 0),
  };
}

/**
 * Checks the setting for trusted proxies.
 * @throws if an entry is not an address, a range or a name
 */
export function checkProxies(proxies: readonly string[]): void {
  if (proxies.length > 0) proxyAddr.compile([...proxies]);
}

const MAPPED = /^::ffff:(?=\d+\.)/i;
/** Number of groups in a /64 prefix, which providers usually assign to one customer. */
const GROUPS = 4;

/** Groups of 64:ff9b::/96, whose addresses each contain an IPv4 address (RFC 6052). */
const TRANSLATED = '64:ff9b:0:0:0:0';

/**
 * Returns the address to which limits apply: the /64 of an IPv6 address, and the IPv4 address of an
 * IPv4-mapped one.
 */
export function addressGroup(address: string): string {
  const plain = address.replace(MAPPED, '');
  if (!plain.includes(':') || !isIPv6(plain)) return plain;
  const [before = '', after] = plain.split('::');
  const head = before === '' ? [] : before.split(':');
  const tail = after === undefined || after === '' ? [] : after.split(':');
  const zeros = after === undefined ? 0 : 8 - head.length - tail.length;
  const groups = [...head, ...Array<string>(zeros).fill('0'), ...tail].map((one) =>
    Number.parseInt(one, 16).toString(16),
  );
  if (groups.slice(0, 7).every((one) => one === '0')) return plain;
  if (groups.slice(0, 6).join(':') === TRANSLATED) return groups.join(':');
  return `${groups.slice(0, GROUPS).join(':')}::/64`;
}
