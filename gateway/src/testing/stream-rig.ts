import { createMetrics } from '@gudang/runtime';
import type { FormattedExecutionResult, GraphQLFormattedError } from 'graphql';
import type { ByteAccount } from '../limits/byte-account.ts';
import type { ByteLimits } from '../limits/byte-budget.ts';
import { ReplayRate } from '../limits/replay-rate.ts';
import { createCatchUpGate } from '../live/fanout/catch-up-gate.ts';
import type { QueueLimits } from '../live/fanout/client-queue.ts';
import { createLiveMetrics } from '../live/fanout/live-metrics.ts';
import { SharedStream } from '../live/fanout/shared-stream.ts';
import { StreamClient } from '../live/fanout/stream-client.ts';
import type { EventRun } from '../live/upstream/event-run.ts';
import { liveForm } from '../live/upstream/live-payload.ts';
import { EventTurns } from '../live/upstream/turns.ts';
import { createScriptedUpstream, scriptedMarks } from './scripted-upstream.ts';
import { createTestBudget } from './test-budget.ts';

interface RigOptions {
  readonly reportsPositions?: boolean;
  readonly conflates?: boolean;
  readonly resumable?: boolean;
  readonly retained?: number;
  readonly catchUps?: number;
  readonly history?: number;
  readonly queue?: QueueLimits;
  /** Memory of the stream itself, in bytes. */
  readonly bytes?: number;
  readonly memory?: Partial<ByteLimits>;
  /** Maximum number of replayed events per second of one caller. */
  readonly replays?: number;
  /** Whether the stream's events count towards this rate; they then count for the subject `meter`. */
  readonly isMetered?: boolean;
  /** Number of events as which each event counts towards this rate. */
  readonly weight?: number;
  readonly execute?: (event: FormattedExecutionResult) => Promise<FormattedExecutionResult>;
  /** Maximum number of events that are executed together. */
  readonly together?: number;
  /** Called for the events that are executed together. */
  readonly onExecute?: (events: readonly FormattedExecutionResult[]) => void;
}

/** A message as a client with `extensions.live` receives it. */
export interface LiveMessage {
  readonly data: { readonly changed: { readonly key: string; readonly n: number } } | null;
  readonly extensions?: {
    readonly live?: {
      readonly cursor?: string;
      readonly conflated?: number;
      readonly more?: boolean;
      readonly snapshot?: { readonly phase: string };
    };
  };
}

/** A client's connection. */
interface Connection {
  readonly account: ByteAccount;
  /** Called when the budget ends the connection. */
  readonly onEvict: (() => void)[];
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
  bytes = 0,
  memory = {},
  replays = 1_000_000,
  isMetered = false,
  weight = 1,
  execute = async (event) => event,
  together = 1,
  onExecute = () => {},
}: RigOptions = {}) {
  const upstream = createScriptedUpstream(reportsPositions);
  const metrics = createLiveMetrics(createMetrics('rig'), () => 0);
  const state = { ended: 0, joined: 0 };
  const budget = createTestBudget(memory);
  /** Opens a connection of a subject, or of an anonymous caller of this machine. */
  const connect = (subject?: string): Connection => {
    const onEvict: (() => void)[] = [];
    const account = budget.connection(
      { identity: subject === undefined ? {} : { subject }, address: '127.0.0.1' },
      {
        onEvict: () => {
          for (const evict of onEvict) evict();
        },
      },
    );
    return { account, onEvict };
  };
  const runOf = (origin: string): EventRun => ({
    subgraph: 'scripted',
    origin,
    weight,
    isCostly: false,
    subscribe: upstream.subscribe,
    takeMarks: (event) => {
      const { key, cursor } = scriptedMarks(event);
      return { key: conflates ? key : undefined, cursor: resumable ? cursor : undefined };
    },
    together,
    execute: (events) => {
      onExecute(events as readonly FormattedExecutionResult[]);
      return Promise.all(events.map((event) => execute(event as FormattedExecutionResult)));
    },
  });
  const founder = connect(isMetered || weight > 1 ? 'meter' : undefined);
  const gate = createCatchUpGate(catchUps, new ReplayRate(replays));
  if (isMetered) {
    // Only streams beyond the free ones are metered.
    for (let free = 0; free < 20; free += 1) gate.joinStream(founder.account.caller, 1);
  }
  const stream = new SharedStream({
    run: runOf('first'),
    conflates,
    resumable,
    limits: { retained, history },
    account: founder.account,
    bytes,
    turns: new EventTurns(0),
    gate,
    metrics,
    onEvent: () => {},
    onEnd: () => {
      state.ended += 1;
    },
  });
  /**
   * Joins the stream.
   * @param on the connection of the client; by default, the first client has the connection in
   * which the stream counts, and each other client one of its own
   */
  const join = (
    after?: string,
    on?: Connection,
    receivesMarkers = true,
    receivesPositions = false,
  ) => {
    const got: { key: string; n: number }[] = [];
    /** Numbers of events, phases of snapshots, and positions as `at <cursor>`. */
    const order: (number | string)[] = [];
    /** The messages as a client with `extensions.live` receives them. */
    const messages: LiveMessage[] = [];
    const ends: string[] = [];
    const socket = { open: true };
    let conflated = 0;
    const connection = on ?? (state.joined === 0 ? founder : connect());
    state.joined += 1;
    const leave = (): void => {
      client.close();
      stream.leave(client);
      if (!on) connection.account.close();
    };
    connection.onEvict.push(() => {
      ends.push('evicted');
      leave();
    });
    const client: StreamClient = new StreamClient({
      account: connection.account,
      limits: queue,
      receivesMarkers,
      receivesPositions,
      metrics,
      onEnded: () => stream.leave(client),
      sink: {
        ready: () => socket.open,
        write: (payloads, notes) => {
          for (const [index, payload] of payloads.entries()) {
            const { data, extensions } = JSON.parse(
              String(liveForm.jsonOf(payload, notes?.[index])),
            );
            conflated += extensions?.live?.conflated ?? 0;
            if (data === null) {
              const { cursor, snapshot } = extensions.live;
              order.push(snapshot?.phase ?? `at ${cursor}`);
              messages.push({ data, extensions });
              continue;
            }
            const { key, n } = data.changed;
            messages.push({ data: { changed: { key, n } }, extensions });
            got.push({ key, n });
            order.push(n);
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
      order,
      messages,
      conflated: () => conflated,
      resume: () => client.resume(),
      leave,
    };
  };
  return { upstream, stream, connect, join, state, runOf, budget, founder };
}

/** Resolves when all events in this process have been delivered. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 6; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
