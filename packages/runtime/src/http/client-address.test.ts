import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { createClientAddress } from './client-address.ts';

function asked(peer: string, forwarded?: string): IncomingMessage {
  const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded };
  return { socket: { remoteAddress: peer }, headers } as never;
}

describe('createClientAddress', () => {
  const cases: [string, string[], string, string | undefined, string][] = [
    ['the peer', [], '203.0.113.9', undefined, '203.0.113.9'],
    [
      'the peer despite its header, if no proxy is trusted',
      [],
      '203.0.113.9',
      '198.51.100.1',
      '203.0.113.9',
    ],
    [
      'the peer despite its header, if the peer is not a trusted proxy',
      ['10.0.0.0/8'],
      '203.0.113.9',
      '198.51.100.1',
      '203.0.113.9',
    ],
    ['the client that a proxy names', ['10.0.0.0/8'], '10.1.2.3', '198.51.100.1', '198.51.100.1'],
    [
      'the client that the last proxy names, not the address that the client wrote',
      ['10.0.0.0/8'],
      '10.1.2.3',
      '127.0.0.1, 198.51.100.1',
      '198.51.100.1',
    ],
    [
      'the first address from the right that is not a proxy',
      ['10.0.0.0/8', '192.0.2.7'],
      '10.1.2.3',
      '6.6.6.6, 198.51.100.1, 192.0.2.7, 10.9.9.9',
      '198.51.100.1',
    ],
    ['the proxy, if it names no client', ['10.0.0.0/8'], '10.1.2.3', undefined, '10.1.2.3'],
    [
      'the client that a proxy names, if the proxy is trusted as `loopback`',
      ['loopback'],
      '127.0.0.1',
      '198.51.100.1',
      '198.51.100.1',
    ],
    [
      'the IPv4 address in an IPv4-mapped IPv6 address',
      [],
      '::ffff:203.0.113.9',
      undefined,
      '203.0.113.9',
    ],
    ['the /64 of an IPv6 address', [], '2001:db8:1:2:a:b:c:d', undefined, '2001:db8:1:2::/64'],
    ['the /64 of a shortened IPv6 address', [], '2001:db8:1:2::1', undefined, '2001:db8:1:2::/64'],
    ['the same /64 for another notation', [], '2001:0DB8:01:2::1', undefined, '2001:db8:1:2::/64'],
    [
      'the whole address if it stands for an IPv4 address',
      [],
      '64:ff9b::cb00:7109',
      undefined,
      '64:ff9b:0:0:0:0:cb00:7109',
    ],
    ['the loopback address', [], '::1', undefined, '::1'],
  ];
  it.each(cases)('returns %s', (_what, proxies, peer, forwarded, address) => {
    expect(createClientAddress(proxies).of(asked(peer, forwarded))).toBe(address);
  });

  it('recognizes trusted proxies', () => {
    const { isProxy } = createClientAddress(['10.0.0.0/8']);
    expect([isProxy('10.0.0.1'), isProxy('11.0.0.1')]).toEqual([true, false]);
  });
});
