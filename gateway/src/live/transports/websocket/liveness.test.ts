import { expect, it } from 'vitest';
import { watchLiveness } from './liveness.ts';

/** A socket of which the kernel has taken some bytes, while others wait. */
function createSocket() {
  return {
    taken: 0,
    writableLength: 0,
    get bytesWritten() {
      return this.taken + this.writableLength;
    },
  };
}

it('is there at first, and as long as it answers', () => {
  const liveness = watchLiveness(createSocket());
  expect(liveness.check()).toBe(true);
  liveness.heard();
  expect(liveness.check()).toBe(true);
  expect(liveness.check()).toBe(false);
});

it('is there while it takes of what waits for it, and no longer', () => {
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

it('is not there because the kernel took the ping', () => {
  const socket = createSocket();
  const liveness = watchLiveness(socket);
  liveness.check();
  socket.taken += 2;
  expect(liveness.check()).toBe(false);
});
