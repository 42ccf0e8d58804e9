import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type SpanReceiver, startSpanReceiver } from '../testing/span-receiver.ts';
import { COLLECT_MS, type EndedSpan, QUEUE_LIMIT, SpanSender } from './span-sender.ts';

const spanOf = (name: string): EndedSpan => ({
  traceId: '0af7651916cd43dd8448eb211c80319c',
  spanId: 'b7ad6b7169203331',
  name,
  kind: 1,
  from: 1,
  to: 2,
  attributes: {},
});

let receiver: SpanReceiver;
let sender: SpanSender;

beforeEach(async () => {
  receiver = await startSpanReceiver();
  sender = new SpanSender('shop', receiver.url);
});
afterEach(async () => {
  vi.useRealTimers();
  await sender.stop();
  await receiver.stop();
});

describe('SpanSender', () => {
  it('sends spans together, without being asked', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    for (const name of ['a', 'b', 'c']) sender.add(spanOf(name));
    await vi.advanceTimersByTimeAsync(COLLECT_MS);
    await vi.waitFor(() => expect(receiver.spans.map(({ name }) => name)).toEqual(['a', 'b', 'c']));
    expect(receiver.paths).toHaveLength(1);
  });

  it('keeps at most 1,000 spans while the receiver does not answer, and sends one request', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    receiver.hold();
    sender.add(spanOf('first'));
    await vi.advanceTimersByTimeAsync(COLLECT_MS);
    await vi.waitFor(() => expect(receiver.paths).toHaveLength(1));
    for (let turn = 0; turn < 3; turn += 1) {
      for (let n = 0; n < 2 * QUEUE_LIMIT; n += 1) sender.add(spanOf(`${n}`));
      await vi.advanceTimersByTimeAsync(1_000);
    }
    expect(receiver.paths).toHaveLength(1);
    receiver.release();
    await vi.waitFor(async () => {
      await vi.advanceTimersByTimeAsync(COLLECT_MS);
      expect(receiver.spans).toHaveLength(1 + QUEUE_LIMIT);
    });
    expect(receiver.spans.at(-1)?.name).toBe(`${QUEUE_LIMIT - 1}`);
    expect(receiver.paths).toHaveLength(2);
  });

  it('drops the spans that a receiver refuses, and continues after a pause', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    receiver.refuse(1);
    sender.add(spanOf('refused'));
    await vi.advanceTimersByTimeAsync(COLLECT_MS);
    await vi.waitFor(() => expect(receiver.paths).toHaveLength(1));
    sender.add(spanOf('later'));
    await vi.waitFor(async () => {
      await vi.advanceTimersByTimeAsync(1_000);
      expect(receiver.spans.map(({ name }) => name)).toEqual(['later']);
    });
    expect(receiver.paths).toHaveLength(2);
  });

  it('takes spans while no receiver listens', async () => {
    await receiver.stop();
    for (let n = 0; n < 10; n += 1) sender.add(spanOf(`${n}`));
    await expect(sender.stop()).resolves.toBeUndefined();
  });
});
