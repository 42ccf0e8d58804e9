import type { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import * as ws from 'ws';
import { createPayload } from '../../upstream/live-payload.ts';
import { createFramer, nextHead } from './websocket-frames.ts';

/** ws exports this class, but its types do not contain it. */
const { Receiver } = ws as unknown as { Receiver: new (options: object) => Writable };

const nextFrames = createFramer();

/** Returns the messages that ws reads from the bytes. */
async function read(bytes: Buffer, count: number): Promise<unknown[]> {
  const receiver = new Receiver({ isServer: false });
  const messages: unknown[] = [];
  const done = new Promise<void>((resolve, reject) => {
    receiver.on('message', (data: Buffer) => {
      messages.push(JSON.parse(String(data)));
      if (messages.length === count) resolve();
    });
    receiver.on('error', reject);
  });
  receiver.write(bytes);
  await done;
  return messages;
}

const payloadOf = (text: string, extensions?: Record<string, unknown>) =>
  createPayload(
    { data: { text }, ...(extensions ? { extensions } : {}) },
    { cursor: undefined, key: undefined },
    { seq: 1 },
  );

describe('frames of next messages', () => {
  const around = [0, 20, 60, 70, 80, 65_480, 65_500, 70_000];
  it('are valid for ws, at every length and with several frames in one buffer', async () => {
    const payloads = around.map((length) => payloadOf(`é${'x'.repeat(length)}`));
    const id = 'an "id"';
    const messages = await read(nextFrames(nextHead(id), payloads), payloads.length);
    expect(messages).toEqual(
      payloads.map(({ bytes }) => ({ id, type: 'next', payload: JSON.parse(String(bytes)) })),
    );
  });

  it.each(Array.from({ length: 12 }, (_, index) => index))(
    'have the right header for a payload of %i bytes',
    async (more) => {
      const head = nextHead('1');
      const bare = nextFrames(head, [payloadOf('')]).length - 2;
      for (const edge of [120, 65_530]) {
        const payload = payloadOf('x'.repeat(edge - bare + more));
        const [message] = await read(nextFrames(head, [payload]), 1);
        expect(message).toMatchObject({ payload: JSON.parse(String(payload.bytes)) });
      }
    },
  );

  it('contain the conflated count in the extensions of a payload', async () => {
    const frames = nextFrames(nextHead('1'), [payloadOf('a'), payloadOf('b', { x: 1 })], [2, 3]);
    expect(await read(frames, 2)).toMatchObject([
      { payload: { data: { text: 'a' }, extensions: { live: { conflated: 2 } } } },
      { payload: { data: { text: 'b' }, extensions: { x: 1, live: { conflated: 3 } } } },
    ]);
  });
});
