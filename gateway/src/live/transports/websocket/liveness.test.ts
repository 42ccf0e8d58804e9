import { expect, it } from 'vitest';
import { watchLiveness } from './liveness.ts';

/** Creates a socket with bytes that the kernel has buffered and bytes that wait for the kernel. */
function createSocket() {
  return {
    taken: 0,
    writableLength: 0,
    get bytesWritten() {
      return this.taken + this.writableLength;
    },
  };
}

it('reports a client as alive at first and while it answers', () => {
  const liveness = watchLiveness(createSocket());
  expect(liveness.check()).toBe(true);
  liveness.heard();
  expect(liveness.check()).toBe(true);
  expect(liveness.check()).toBe(false);
});

it('reports a client as alive while it reads bytes that wait for it', () => {
  const socket = createSocket();
  const liveness = watchLiveness(socket);
  liveness.check();
  socket.writableLength = 500_000;
  expect(liveness.check()).toBe(false);
  socket.taken += 100_000;
  expect(liveness.check()).toBe(true);
  socket.taken += 100_000;
  expect(liveness.check()).toBe(true);
  expect(liveness.check()).toBe(false);
});

it("does not count a ping in the kernel's buffer as a sign of life", () => {
  const socket = createSocket();
  const liveness = watchLiveness(socket);
  liveness.check();
  socket.taken += 2;
  expect(liveness.check()).toBe(false);
});
