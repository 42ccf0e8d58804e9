import { expect, it } from 'vitest';
import { isLoopbackAddress, isLoopbackHost } from './loopback.ts';

it('recognizes loopback addresses', () => {
  for (const own of ['127.0.0.1', '127.8.8.8', '::1', '::ffff:127.0.0.1']) {
    expect(isLoopbackAddress(own), own).toBe(true);
  }
  const others = ['128.0.0.1', '::2', '1127.0.0.1', '', 'localhost', '::ffff:10.0.0.1', '127.evil'];
  for (const other of others) expect(isLoopbackAddress(other), other).toBe(false);
});

it('recognizes names of this machine', () => {
  for (const own of ['localhost', 'shop.localhost', '127.0.0.1', '::1']) {
    expect(isLoopbackHost(own), own).toBe(true);
  }
  for (const other of ['localhost.evil.example', 'evillocalhost', '127.0.0.1.evil.example', '']) {
    expect(isLoopbackHost(other), other).toBe(false);
  }
});
