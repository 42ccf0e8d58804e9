import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { createClient } from '../index.ts';
import { LiveServer } from '../testing/live-server.ts';

type Step =
  | { readonly publish: number }
  | { readonly read: number }
  | { readonly wait: number }
  | { readonly close: number }
  | 'cut'
  | 'restart';

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ publish: fc.integer({ min: 1, max: 30 }) }) },
    { weight: 3, arbitrary: fc.record({ read: fc.integer({ min: 1, max: 30 }) }) },
    { weight: 3, arbitrary: fc.record({ wait: fc.integer({ min: 1, max: 50 }) }) },
    { weight: 2, arbitrary: fc.constant('cut' as const) },
    { weight: 1, arbitrary: fc.constant('restart' as const) },
    { weight: 1, arbitrary: fc.record({ close: fc.constantFrom(1000, 1001, 4480, 4481) }) },
  ),
  { minLength: 5, maxLength: 30 },
);

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** Runs the steps against a new server. @returns the events that an iterable has delivered */
async function deliver(all: readonly Step[], transport: 'websocket' | 'sse'): Promise<unknown[]> {
  const server = await LiveServer.start();
  const options = { maxRetryDelay: 5, maxQueuedEvents: 7, transport, webSocketImpl: WebSocket };
  const client = createClient({ url: server.url, ...options });
  const events = client.subscribe<number>('subscription { changed }', null, { after: '0' });
  const seen: unknown[] = [];
  const read = async (count: number): Promise<void> => {
    for (let n = 0; n < count; n += 1) seen.push((await events.next()).value?.data);
  };
  const take = async (step: Step): Promise<void> => {
    if (step === 'cut') server.cut();
    else if (step === 'restart') await server.listen(await server.stop());
    else if ('publish' in step) {
      for (let n = 0; n < step.publish; n += 1) server.publish(server.log.length + 1);
    } else if ('read' in step) await read(Math.min(step.read, server.log.length - seen.length));
    else if ('wait' in step) await turns(step.wait);
    else server.closeWith(step.close);
  };
  for (const step of all) await take(step);
  await read(server.log.length - seen.length);
  // Nothing may follow the last event.
  server.publish('last');
  seen.push((await events.next()).value?.data);
  client.close();
  await server.stop();
  return seen;
}

describe.each(['websocket', 'sse'] as const)('a subscription over %s', (transport) => {
  it('delivers each event once and in order while its connections are cut', async () => {
    const property = fc.asyncProperty(steps, async (all) => {
      const seen = await deliver(all, transport);
      const numbers = Array.from({ length: seen.length - 1 }, (_, index) => index + 1);
      expect(seen).toEqual([...numbers, 'last']);
    });
    await fc.assert(property, { numRuns: 12, seed: 19, endOnFailure: true });
  }, 30_000);
});
