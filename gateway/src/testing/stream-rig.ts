import { createMetrics } from '@gudang/runtime';
import type { FormattedExecutionResult, GraphQLFormattedError } from 'graphql';
import { createCatchUpGate } from '../live/fanout/catch-up-gate.ts';
import type { QueueLimits } from '../live/fanout/client-queue.ts';
import { createRetained } from '../live/fanout/last-value-cache.ts';
import { createLiveMetrics } from '../live/fanout/live-metrics.ts';
import { startLiveStream } from '../live/fanout/live-stream.ts';
import { createStreamClient } from '../live/fanout/stream-client.ts';
import { type EventRun, startEventSource } from '../live/upstream/upstream-subscription.ts';
import { createScriptedUpstream, scriptedMarks } from './scripted-upstream.ts';

interface RigOptions {
  readonly tells?: boolean;
  readonly conflates?: boolean;
  readonly resumable?: boolean;
  readonly retained?: number;
  readonly catchUps?: number;
  readonly history?: number;
  readonly queue?: QueueLimits;
  readonly execute?: (event: FormattedExecutionResult) => Promise<FormattedExecutionResult>;
}

/** One stream over a scripted upstream, with clients whose sockets the test opens and shuts. */
export function startStreamRig({
  tells = true,
  conflates = true,
  resumable = true,
  retained: limit,
  catchUps = 10,
  history = 100_000,
  queue = { messages: 1_000, bytes: 1_000_000 },
  execute = async (event) => event,
}: RigOptions = {}) {
  const upstream = createScriptedUpstream();
  const metrics = createLiveMetrics(createMetrics('rig'), () => 0);
  const retained = limit === undefined ? undefined : createRetained(limit);
  const state = { ended: 0 };
  const runOf = (origin: string): EventRun => ({
    origin,
    subscribe: upstream.subscribe,
    takeMarks: (event) => {
      const { key, cursor } = scriptedMarks(event);
      return { key: conflates ? key : undefined, cursor: resumable ? cursor : undefined };
    },
    execute: execute as never,
  });
  const stream = startLiveStream({
    resumable,
    retained,
    history,
    gate: createCatchUpGate(catchUps),
    mustBeTold: () => tells,
    onDelivered: () => {},
    onEnd: () => {
      state.ended += 1;
    },
    open: (after, sink) =>
      startEventSource({
        after,
        conflates,
        sink,
        run: runOf('first'),
        onEvent: () => {},
      }),
  });
  const join = (after?: string) => {
    const got: { key: string; n: number }[] = [];
    const ends: string[] = [];
    const socket = { open: true };
    let conflated = 0;
    const client = createStreamClient({
      limits: queue,
      metrics,
      onOver: () => stream.leave(client),
      outlet: {
        ready: () => socket.open,
        write: (payloads, counts) => {
          for (const [index, payload] of payloads.entries()) {
            const { key, n } = JSON.parse(payload.json).data.changed;
            got.push({ key, n });
            conflated += counts?.[index] ?? 0;
          }
        },
        error: (errors: readonly GraphQLFormattedError[]) =>
          void ends.push(errors.map(({ message }) => message).join()),
        complete: () => void ends.push('complete'),
        lagged: () => void ends.push('lagged'),
      },
    });
    stream.join(client, after);
    return {
      got,
      ends,
      socket,
      numbers: () => got.map(({ n }) => n),
      conflated: () => conflated,
      resume: () => client.resume(),
      leave: () => {
        client.close();
        stream.leave(client);
      },
    };
  };
  return { upstream, stream, join, state, retained, runOf };
}

/** Resolves once all that is on its way in this process has come. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
