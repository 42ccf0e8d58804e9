import { createRequire } from 'node:module';
import { describe, expect, it, vi } from 'vitest';
import {
  type Encoded,
  encodeProduceRequest,
  type MessageToSend,
  type ProduceRequest,
} from './produce-request.ts';

const require = createRequire(import.meta.url);
const createKafkajsRequest: (request: ProduceRequest) => {
  encode: () => Promise<Encoded>;
} = require('kafkajs/src/protocol/requests/produce/v3/request');

const TEXTS = [null, '', 'kopi', '☕ 🫖', Buffer.alloc(0), Buffer.from([0, 0xff, 0x80])];
const HEADERS: Required<MessageToSend>['headers'][] = [
  {},
  { one: 'text' },
  { one: 'text', twö: Buffer.from([0xff]), '': '' },
  { several: ['a', Buffer.from('b'), ''], none: [] },
  Object.fromEntries(Array.from({ length: 70 }, (_, index) => [`h${index}`, 'x'.repeat(index)])),
];
/** Lengths around the limits of variable-length numbers of one, two and more bytes. */
const SIZES = [0, 1, 63, 64, 8_191, 8_192, 1_048_575, 1_048_576];

const partition = (messages: readonly MessageToSend[], number = 0) => ({
  partition: number,
  messages,
});
async function expectSame(topicData: ProduceRequest['topicData']): Promise<void> {
  vi.useFakeTimers({ now: 1_767_225_600_123, toFake: ['Date'] });
  try {
    const request = { acks: -1, timeout: 30_000, topicData };
    const [ours, theirs] = [
      encodeProduceRequest(request),
      await createKafkajsRequest(request).encode(),
    ];
    expect(ours.size()).toBe(theirs.size());
    expect(ours.buffer.equals(theirs.buffer)).toBe(true);
  } finally {
    vi.useRealTimers();
  }
}

describe('encodeProduceRequest', () => {
  it('encodes keys, values and headers byte for byte like kafkajs', async () => {
    const messages = TEXTS.flatMap((key) =>
      TEXTS.flatMap((value) => HEADERS.map((headers) => ({ key, value, headers }))),
    );
    await expectSame([{ topic: 'töpic', partitions: [partition(messages)] }]);
  });

  it('encodes several topics and partitions, including a topic without partitions, like kafkajs', async () => {
    const some = [{ value: 'a' }, { value: null }];
    await expectSame([
      { topic: 'one', partitions: [partition(some, 5), partition([{ value: 'b' }], 0)] },
      { topic: 'two', partitions: [partition(some, 1)] },
      { topic: 'none', partitions: [] },
    ]);
  });

  it('encodes timestamps that differ by years like kafkajs', async () => {
    const messages = [0, 63, 64, 2 ** 31, 2 ** 36].map((later) => ({
      value: 'v',
      timestamp: String(1_600_000_000_000 + later),
    }));
    await expectSame([{ topic: 'times', partitions: [partition(messages)] }]);
  });

  it('encodes size fields of every length, and many records, like kafkajs', async () => {
    for (const size of SIZES) {
      await expectSame([
        { topic: 't', partitions: [partition([{ value: Buffer.alloc(size, 7) }])] },
      ]);
    }
    const many = Array.from({ length: 20_000 }, (_, index) => ({ key: `${index}`, value: 'v' }));
    await expectSame([{ topic: 'many', partitions: [partition(many)] }]);
  });
});
