import type { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import * as ws from 'ws';
import { createPayload, createPosition, type LiveMembers } from '../../upstream/live-payload.ts';
import { createFramers, nextHead } from './websocket-frames.ts';

/** ws exports this class, but its types do not contain it. */
const { Receiver } = ws as unknown as { Receiver: new (options: object) => Writable };

const { plain: nextFrames, live: liveFrames } = createFramers();

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

const payloadOf = (text: string, extensions?: Record<string, unknown>, cursor?: string) =>
  createPayload(
    { data: { text }, ...(extensions ? { extensions } : {}) },
    { cursor, key: undefined },
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
    const frames = nextFrames(
      nextHead('1'),
      [payloadOf('a'), payloadOf('b', { x: 1 })],
      [2, 3].map((conflated) => ({ conflated, more: false })),
    );
    expect(await read(frames, 2)).toMatchObject([
      { payload: { data: { text: 'a' }, extensions: { live: { conflated: 2 } } } },
      { payload: { data: { text: 'b' }, extensions: { x: 1, live: { conflated: 3 } } } },
    ]);
  });

  it('contain the cursor only for clients that sent extensions.live', async () => {
    const payloads = [
      payloadOf('é'.repeat(60), undefined, 'c"1'),
      payloadOf('b', { x: 1 }, 'c2'),
      payloadOf('c', { live: { snapshot: 'begin' } }),
      createPosition('c3'),
    ];
    const head = nextHead('1');
    expect(
      await read(
        liveFrames(
          head,
          payloads,
          [0, 2, 0, 0].map((conflated) => ({ conflated, more: false })),
        ),
        4,
      ),
    ).toMatchObject([
      { payload: { data: {}, extensions: { live: { cursor: 'c"1' } } } },
      { payload: { data: {}, extensions: { x: 1, live: { cursor: 'c2', conflated: 2 } } } },
      { payload: { data: {}, extensions: { live: { snapshot: 'begin' } } } },
      { payload: { data: null, extensions: { live: { cursor: 'c3' } } } },
    ]);
    const plain = await read(nextFrames(head, payloads), 4);
    expect(plain).toEqual(
      payloads.map(({ bytes }) => ({ id: '1', type: 'next', payload: JSON.parse(String(bytes)) })),
    );
    expect(JSON.stringify(plain)).not.toContain('cursor');
  });

  it('are built once for all clients of a kind', () => {
    const payload = payloadOf('a', undefined, 'c1');
    let built = 0;
    const counted = {
      ...payload,
      withLive: (added: LiveMembers) => {
        built += 1;
        return payload.withLive(added);
      },
    };
    const payloads = [counted];
    for (let client = 0; client < 100; client += 1) {
      liveFrames(nextHead(`${client % 10}`), payloads);
      nextFrames(nextHead(`${client % 10}`), payloads);
    }
    expect(built).toBe(1);
  });
});
