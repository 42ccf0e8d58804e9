import { EventEmitter } from 'node:events';
import { expect, it, vi } from 'vitest';
import { guardSockets } from './guard-sockets.ts';

function connect(server: EventEmitter, remoteAddress: string) {
  const socket = Object.assign(new EventEmitter(), { remoteAddress, destroy: vi.fn() });
  server.emit('connection', socket);
  return socket;
}

it('closes the sockets of an address that exceed four times its limit of live connections', () => {
  const server = Object.assign(new EventEmitter(), { maxConnections: 0 });
  guardSockets(server as never, { all: 10, perAddress: 2 }, { isProxy: (one) => one === '10.1' });
  expect(server.maxConnections).toBe(2_010);

  const held = Array.from({ length: 8 }, () => connect(server, '9.9.9.9'));
  expect(held.some(({ destroy }) => destroy.mock.calls.length > 0)).toBe(false);
  expect(connect(server, '9.9.9.9').destroy).toHaveBeenCalledOnce();
  expect(connect(server, '8.8.8.8').destroy).not.toHaveBeenCalled();
  for (const free of ['127.0.0.1', '10.1']) {
    const many = Array.from({ length: 20 }, () => connect(server, free));
    expect(many.every(({ destroy }) => destroy.mock.calls.length === 0)).toBe(true);
  }

  for (const socket of held.slice(0, 2)) socket.emit('close');
  expect(connect(server, '9.9.9.9').destroy).not.toHaveBeenCalled();
});

it('counts the sockets of an IPv6 /64 together', () => {
  const server = Object.assign(new EventEmitter(), { maxConnections: 0 });
  guardSockets(server as never, { all: 10, perAddress: 2 }, { isProxy: () => false });
  const held = Array.from({ length: 8 }, (_, n) => connect(server, `2001:db8::${n}`));
  expect(held.some(({ destroy }) => destroy.mock.calls.length > 0)).toBe(false);
  const last = connect(server, '2001:db8::ffff');
  expect(last.destroy).toHaveBeenCalledOnce();
  for (const socket of [last, held[0]]) socket?.emit('close');
  expect(connect(server, '2001:db8::a').destroy).not.toHaveBeenCalled();
  expect(connect(server, '2001:db8:0:1::1').destroy).not.toHaveBeenCalled();
});
