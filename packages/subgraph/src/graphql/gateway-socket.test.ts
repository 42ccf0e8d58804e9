import { EventEmitter } from 'node:events';
import { makeServer } from 'graphql-ws';
import { beforeEach, expect, it, vi } from 'vitest';
import type { WebSocket } from 'ws';
import { startGatewaySocket } from './gateway-socket.ts';

/** A websocket in memory that records what happens to it. */
class FakeSocket extends EventEmitter {
  readonly OPEN = 1;
  readonly protocol = 'graphql-transport-ws';
  readyState = 1;
  bufferedAmount = 0;
  readonly sent: string[] = [];
  readonly closed: number[] = [];
  readonly ping = vi.fn();
  readonly terminate = vi.fn();
  send(text: string, callback: () => void): void {
    this.sent.push(text);
    callback();
  }
  close(code: number): void {
    this.readyState = 2;
    this.closed.push(code);
  }
}

const log = { debug: vi.fn(), error: vi.fn() };
function start() {
  const socket = new FakeSocket();
  return { socket, gateway: startGatewaySocket(socket as unknown as WebSocket, log) };
}

beforeEach(() => {
  vi.useFakeTimers();
  return () => vi.useRealTimers();
});

it('closes a gateway that leaves 64 MiB unread', async () => {
  const { socket, gateway } = start();
  socket.bufferedAmount = 64 * 1024 * 1024;
  await gateway.send('fits');
  socket.bufferedAmount += 1;
  await gateway.send('does not fit');
  await gateway.send('after the close frame');
  expect(socket.sent).toEqual(['fits']);
  expect(socket.closed).toEqual([4480]);
});

it('terminates a gateway that does not answer a ping, unless it sends anything else', () => {
  const { socket, gateway } = start();
  gateway.serve(makeServer({ connectionInitWaitTimeout: 0 }), undefined);
  vi.advanceTimersByTime(12_000);
  socket.emit('message', Buffer.from('{"type":"pong"}'), false);
  vi.advanceTimersByTime(12_000);
  expect(socket.ping).toHaveBeenCalledTimes(2);
  expect(socket.terminate).not.toHaveBeenCalled();
  vi.advanceTimersByTime(12_000);
  expect(socket.terminate).toHaveBeenCalledTimes(1);
  socket.emit('close', 1006, '');
  expect(vi.getTimerCount()).toBe(0);
});

it('closes only the connection whose message causes an exception', async () => {
  const { socket, gateway } = start();
  const onConnect = () => {
    throw new Error('a defect');
  };
  gateway.serve(makeServer({ onConnect }), undefined);
  socket.emit('message', Buffer.from('{"type":"connection_init"}'), false);
  await vi.advanceTimersByTimeAsync(0);
  expect(socket.closed).toEqual([4500]);
  socket.emit('close', 1006, '');
});
