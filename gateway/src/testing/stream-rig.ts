import { createMetrics } from '@gudang/runtime';
import type { FormattedExecutionResult, GraphQLFormattedError } from 'graphql';
import { createCatchUpGate } from '../live/fanout/catch-up-gate.ts';
import type { QueueLimits } from '../live/fanout/client-queue.ts';
import { createLiveMetrics } from '../live/fanout/live-metrics.ts';
import { SharedStream } from '../live/fanout/shared-stream.ts';
import { StreamClient } from '../live/fanout/stream-client.ts';
import type { EventRun } from '../live/upstream/upstream-subscription.ts';
import { createScriptedUpstream, scriptedMarks } from './scripted-upstream.ts';

interface RigOptions {
  readonly reportsPositions?: boolean;
  readonly conflates?: boolean;
  readonly resumable?: boolean;
  readonly retained?: number;
  readonly catchUps?: number;
  readonly history?: number;
  readonly queue?: QueueLimits;
  readonly execute?: (event: FormattedExecutionResult) => Promise<FormattedExecutionResult>;
}

/**
 * One shared stream over a scripted upstream, with clients whose sockets the test blocks and
 * unblocks.
 */
export function startStreamRig({
  reportsPositions = true,
  conflates = true,
  resumable = true,
  retained = 10,
  catchUps = 10,
  history = 100_000,
  queue = { messages: 1_000, bytes: 1_000_000 },
  execute = async (event) => event,
}: RigOptions = {}) {
  const upstream = createScriptedUpstream(reportsPositions);
  const metrics = createLiveMetrics(createMetrics('rig'), () => 0);
  const state = { ended: 0 };
  const runOf = (origin: string): EventRun => ({
    subgraph: 'scripted',
    origin,
    subscribe: upstream.subscribe,
    takeMarks: (event) => {
      const { key, cursor } = scriptedMarks(event);
      return { key: conflates ? key : undefined, cursor: resumable ? cursor : undefined };
    },
    execute: execute as never,
  });
  const stream = new SharedStream({
    run: runOf('first'),
    conflates,
    resumable,
    limits: { retained, history },
    gate: createCatchUpGate(catchUps),
    metrics,
    onEvent: () => {},
    onEnd: () => {
      state.ended += 1;
    },
  });
  const join = (after?: string) => {
    const got: { key: string; n: number }[] = [];
    const ends: string[] = [];
    const socket = { open: true };
    let conflated = 0;
    const client = new StreamClient({
      limits: queue,
      metrics,
      onEnded: () => stream.leave(client),
      sink: {
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
      state: () => client.state,
      numbers: () => got.map(({ n }) => n),
      conflated: () => conflated,
      resume: () => client.resume(),
      leave: () => {
        client.close();
        stream.leave(client);
      },
    };
  };
  return { upstream, stream, join, state, runOf };
}

/** Resolves when all events in this process have been delivered. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
