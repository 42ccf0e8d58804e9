import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { executedFiles } from '../testing/executed-files.ts';
import { PROTOCOLS, type ProtocolStream } from '../testing/protocol-clients.ts';
import { startTestGateway, type TestGateway } from '../testing/running-gateway.ts';
import { composeToys, startToyGraph } from '../testing/toy-graph.ts';

/** Maximum number of source files whose functions one event may call. */
const LIMIT = 18;
/**
 * Number of measured events. Only files that every event executes count, because a timer may
 * execute other files during one event.
 */
const EVENTS = 10;

/** Files that each event executes, in order, from the upstream socket to the delivery. */
const PATH = [
  'live/upstream/upstream-connection.ts',
  'live/upstream/upstream-subscription.ts',
  'request-deduplication/invalidation.ts',
  'live/planning/upstream-operation.ts',
  'live/upstream/pause-point.ts',
  'live/upstream/event-backlog.ts',
  'limits/byte-account.ts',
  'live/upstream/turns.ts',
  'live/upstream/event-executor.ts',
  'plan-execution/',
  'live/upstream/live-payload.ts',
  'live/fanout/shared-stream.ts',
  'live/fanout/stream-client.ts',
];
const TRANSPORTS: Readonly<Record<string, readonly string[]>> = {
  'graphql-transport-ws': [
    'live/transports/websocket/websocket-sink.ts',
    'live/transports/websocket/websocket-frames.ts',
    'live/transports/websocket/client-socket.ts',
  ],
  'server-sent events': [
    'live/transports/http/http-stream.ts',
    'live/transports/http/http-format.ts',
  ],
  multipart: ['live/transports/http/http-stream.ts', 'live/transports/http/http-format.ts'],
};
/** Files that run after an event's delivery, when the replay buffer stores the event. */
const AFTER_DELIVERY = ['live/fanout/replay-buffer.ts', 'live/fanout/cursor-log.ts'];

let toys: Awaited<ReturnType<typeof startToyGraph>>;
let gateway: TestGateway;
let stream: ProtocolStream;

beforeAll(async () => {
  toys = await startToyGraph();
  gateway = await startTestGateway(composeToys(toys.items.url, toys.ratings.url));
});
afterEach(async () => {
  stream.leave();
  await listening(0);
});
afterAll(async () => {
  await gateway.stop();
  await toys.stop();
});

async function listening(count: number): Promise<void> {
  await vi.waitFor(() => expect(toys.feedListening()).toBe(count), { interval: 5 });
}

async function deliverEvent(): Promise<void> {
  toys.publish('7');
  expect(await stream.take()).toHaveProperty('data.itemFeed');
  // Waits until the replay buffer has stored the event, which happens after the delivery.
  await new Promise((resolve) => setImmediate(resolve));
}

describe('one event', () => {
  it.each(PROTOCOLS)(`executes at most ${LIMIT} files over %s`, async (name, open) => {
    stream = open(gateway.url, { query: 'subscription { itemFeed { n place item { id } } }' });
    await listening(1);
    await deliverEvent();
    let common: Set<string> | undefined;
    for (let count = 0; count < EVENTS; count += 1) {
      const files = await executedFiles(deliverEvent);
      common = new Set([...files].filter((file) => common?.has(file) ?? true));
    }
    const executed = new Set(
      [...(common ?? [])].map((file) => file.replace(/^plan-execution\/.*/, 'plan-execution/')),
    );
    const path = [...PATH, ...(TRANSPORTS[name] ?? []), ...AFTER_DELIVERY];
    const inOrder = [...executed].sort((one, other) => path.indexOf(one) - path.indexOf(other));
    // biome-ignore lint/suspicious/noConsole: the measurement is this test's result
    console.info(`one event over ${name}:\n  ${inOrder.join('\n  ')}`);
    expect(inOrder).toEqual(path);
    expect(inOrder.length).toBeLessThanOrEqual(LIMIT);
  });
});
