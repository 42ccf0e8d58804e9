import type { IncomingMessage } from 'node:http';
import { isIPv6 } from 'node:net';
import proxyAddr from '@fastify/proxy-addr';

/** Whose limits a request counts towards: an address, in whatever way it came. */
export interface ClientAddress {
  readonly of: (request: IncomingMessage) => string;
  /** Whether it speaks for others, who are told by `X-Forwarded-For`. */
  readonly isProxy: (peer: string) => boolean;
}

/** @param proxies addresses, ranges such as `10.0.0.0/8`, or `loopback` and the like */
export function createClientAddress(proxies: readonly string[]): ClientAddress {
  // Where no proxy is believed it would be looked up for nothing, with each request.
  if (proxies.length === 0) {
    return { of: ({ socket }) => group(socket.remoteAddress ?? ''), isProxy: () => false };
  }
  const isTrusted = proxyAddr.compile([...proxies]);
  return {
    of: (request) => group(proxyAddr(request, isTrusted) ?? ''),
    isProxy: (peer) => isTrusted(peer, 0),
  };
}

/** @throws when one of them is no address */
export function checkProxies(proxies: readonly string[]): void {
  if (proxies.length > 0) proxyAddr.compile([...proxies]);
}

const MAPPED = /^::ffff:(?=\d+\.)/i;
/** What one customer of a provider gets, as a rule: 64 bits, four groups. */
const GROUPS = 4;

/** One household of IPv6 is one, and IPv4 is the same whichever way it is written. */
function group(address: string): string {
  const plain = address.replace(MAPPED, '');
  if (!plain.includes(':') || !isIPv6(plain)) return plain;
  const [before = '', after] = plain.split('::');
  const head = before === '' ? [] : before.split(':');
  const tail = after === undefined || after === '' ? [] : after.split(':');
  const zeros = after === undefined ? 0 : 8 - head.length - tail.length;
  const groups = [...head, ...Array<string>(zeros).fill('0'), ...tail];
  if (groups.slice(0, 7).every((one) => Number.parseInt(one, 16) === 0)) return plain;
  return `${groups.slice(0, GROUPS).join(':')}::/64`;
}

/** Whoever is on this machine is its owner: limits of an address do not hold for them. */
export function isLoopback(address: string): boolean {
  return address === '::1' || /^(?:::ffff:)?127\./i.test(address);
}
