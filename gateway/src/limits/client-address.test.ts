import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { createClientAddress, isLoopback } from './client-address.ts';

function asked(peer: string, forwarded?: string): IncomingMessage {
  const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded };
  return { socket: { remoteAddress: peer }, headers } as never;
}

describe('createClientAddress', () => {
  const cases: [string, string[], string, string | undefined, string][] = [
    ['the peer', [], '203.0.113.9', undefined, '203.0.113.9'],
    ['the peer, whatever it says', [], '203.0.113.9', '198.51.100.1', '203.0.113.9'],
    ['of a peer that is no proxy', ['10.0.0.0/8'], '203.0.113.9', '198.51.100.1', '203.0.113.9'],
    ['whom a proxy names', ['10.0.0.0/8'], '10.1.2.3', '198.51.100.1', '198.51.100.1'],
    [
      'whom the last proxy names, not what the client wrote before',
      ['10.0.0.0/8'],
      '10.1.2.3',
      '127.0.0.1, 198.51.100.1',
      '198.51.100.1',
    ],
    [
      'the first that is no proxy, from the right',
      ['10.0.0.0/8', '192.0.2.7'],
      '10.1.2.3',
      '6.6.6.6, 198.51.100.1, 192.0.2.7, 10.9.9.9',
      '198.51.100.1',
    ],
    ['a proxy that names nobody', ['10.0.0.0/8'], '10.1.2.3', undefined, '10.1.2.3'],
    ['a name in place of a range', ['loopback'], '127.0.0.1', '198.51.100.1', '198.51.100.1'],
    ['IPv4 written as IPv6', [], '::ffff:203.0.113.9', undefined, '203.0.113.9'],
    ['the household of IPv6', [], '2001:db8:1:2:a:b:c:d', undefined, '2001:db8:1:2::/64'],
    ['the same household, shortened', [], '2001:db8:1:2::1', undefined, '2001:db8:1:2::/64'],
    ['this machine', [], '::1', undefined, '::1'],
  ];
  it.each(cases)('is %s', (_what, proxies, peer, forwarded, address) => {
    expect(createClientAddress(proxies).of(asked(peer, forwarded))).toBe(address);
  });

  it('knows proxies', () => {
    const { isProxy } = createClientAddress(['10.0.0.0/8']);
    expect([isProxy('10.0.0.1'), isProxy('11.0.0.1')]).toEqual([true, false]);
  });
});

it('tells this machine from others', () => {
  for (const own of ['127.0.0.1', '127.8.8.8', '::1', '::ffff:127.0.0.1']) {
    expect(isLoopback(own), own).toBe(true);
  }
  for (const other of ['128.0.0.1', '::2', '1127.0.0.1', '', 'localhost', '::ffff:10.0.0.1']) {
    expect(isLoopback(other), other).toBe(false);
  }
});
