import type { GraphQLFormattedError } from 'graphql';
import type { LivePayload } from '../upstream/live-payload.ts';
import type {
  EventRun,
  EventSource,
  Passed,
  SourceSink,
} from '../upstream/upstream-subscription.ts';
import { type CatchUp, startCatchUp } from './catch-up.ts';
import type { CatchUpGate } from './catch-up-gate.ts';
import type { Retained } from './last-value-cache.ts';
import { createPassedLog } from './replay-buffer.ts';
import { inBatches, type Outlet, type StreamClient } from './stream-client.ts';

export interface LiveStream {
  /** Whether whoever joins now gets what one who joined at the start would see from now on. */
  readonly joinable: () => boolean;
  /** @param after the cursor from which the client goes on; undefined: from now on */
  readonly join: (client: StreamClient, after: string | undefined) => void;
  /** The last one to leave closes the upstream. */
  readonly leave: (client: StreamClient) => void;
  /** The cursor behind what a client has been handed; undefined when none has come yet. */
  readonly cursorOf: (client: StreamClient) => string | undefined;
  /** Goes on with another run, from where it is. */
  readonly move: (run: EventRun) => void;
}

/** Cursors of events that a client has had, which the stream is still to pass. */
type Had = Set<string>;

/** One upstream and one execution an event, for all who joined. */
export function startLiveStream({
  open,
  resumable,
  retained,
  history,
  gate,
  mustBeTold,
  onDelivered,
  onEnd,
}: {
  /** Subscribes at the subgraph, from a cursor or from now on. */
  open: (after: string | undefined, sink: SourceSink) => EventSource;
  resumable: boolean;
  /** Of a conflated stream that takes no cursor. */
  retained: Retained | undefined;
  /** The characters of payloads that are kept for clients that come back. */
  history: number;
  gate: CatchUpGate;
  mustBeTold: () => boolean;
  onDelivered: (item: { readonly payload: LivePayload; readonly arrived: number }) => void;
  onEnd: () => void;
}): LiveStream {
  const live = new Map<StreamClient, Had | undefined>();
  const catchUps = new Map<string, CatchUp>();
  /** Also those whose cursor another one has taken in the map above. */
  const catchingUp = new Set<CatchUp>();
  const log = createPassedLog(history, mustBeTold);
  let passedTo: string | undefined;
  let over = false;

  const finish = (): void => {
    if (over) return;
    over = true;
    live.clear();
    for (const one of catchingUp) one.close();
    catchingUp.clear();
    catchUps.clear();
    source.close();
    onEnd();
  };
  const endAll = (how: (outlet: Outlet) => void): void => {
    const ending = [...live.keys(), ...[...catchingUp].flatMap(({ clients }) => [...clients])];
    finish();
    for (const client of ending) client.end(how);
  };
  const finishIfLast = (): void => {
    if (live.size === 0 && catchingUp.size === 0) finish();
  };
  const drop = (key: string, one: CatchUp): void => {
    catchingUp.delete(one);
    if (catchUps.get(key) === one) catchUps.delete(key);
  };

  const deliver = (payloads: readonly LivePayload[]): void => {
    const batches = inBatches(payloads);
    for (const [client, had] of live) {
      if (!had) for (const batch of batches) client.deliver(batch);
      else {
        const unseen = payloads.filter(
          ({ cursor }) => !(cursor !== undefined && had.delete(cursor)),
        );
        const beyond = unseen.some(({ cursor }) => cursor !== undefined);
        if (beyond || had.size === 0) live.set(client, undefined);
        for (const batch of inBatches(unseen)) client.deliver(batch);
      }
    }
  };

  /**
   * Hands a client what passed after a place, and all that passes from now on.
   * @param had the events right after the place that it has had
   */
  const goLive = (client: StreamClient, place: number, had: Had, owed: number): void => {
    client.begin(log.seqAt(place) + had.size, owed);
    live.set(client, undefined);
    const missed = log
      .after(place)
      .filter(({ cursor }) => !(cursor !== undefined && had.delete(cursor)));
    if (had.size > 0) live.set(client, had);
    for (const batch of inBatches(missed)) client.deliver(batch);
  };

  /** Takes over the clients of a catch-up where both have passed the same cursor. */
  const takeOver = (key: string, one: CatchUp): void => {
    const common = [
      ...one.log.meetingPoints().filter((cursor) => log.find(cursor) !== undefined),
      ...log.meetingPoints().filter((cursor) => one.log.find(cursor) !== undefined),
    ];
    for (const met of common) {
      const there = one.log.find(met) ?? 0;
      const seq = one.log.seqAt(there);
      const ahead = one.log.after(there);
      // Had it left some out, the stream would send them after the newer ones that replaced them.
      if (ahead.some((payload, index) => payload.seq !== seq + index + 1)) continue;
      const owed = one.owed(seq);
      const had = ahead.flatMap(({ cursor }) => (cursor === undefined ? [] : [cursor]));
      one.close();
      drop(key, one);
      for (const client of one.clients) goLive(client, log.find(met) ?? 0, new Set(had), owed);
      return;
    }
  };

  const pass = (items: readonly Passed[]): void => {
    const payloads: LivePayload[] = [];
    for (const item of items) {
      if (!('payload' in item)) {
        if (item.position === undefined) retained?.begunAgain();
      } else if (!retained || retained.keep(item.payload)) payloads.push(item.payload);
    }
    deliver(payloads);
    for (const item of items) {
      if ('payload' in item) {
        onDelivered(item);
        if (resumable) log.add(item.payload);
      } else log.tell(item.position, item.seq);
      passedTo = ('payload' in item ? item.payload.cursor : item.position) ?? passedTo;
    }
    for (const [key, one] of entriesOf(catchingUp, catchUps)) takeOver(key, one);
  };

  const source: EventSource = open(undefined, {
    pass,
    error: (errors: readonly GraphQLFormattedError[]) => endAll((outlet) => outlet.error(errors)),
    complete: () => endAll((outlet) => outlet.complete()),
    overrun: () => endAll((outlet) => outlet.lagged()),
  });

  const catchUp = (client: StreamClient, after: string): void => {
    const known = catchUps.get(after);
    if (known?.joinable()) return void known.clients.add(client);
    const one: CatchUp = startCatchUp({
      after,
      gate,
      mustBeTold,
      open: (sink) => open(after, sink),
      takeAtOnce: () => {
        const place = log.find(after);
        if (place === undefined) return false;
        one.close();
        drop(after, one);
        for (const waiting of one.clients) goLive(waiting, place, new Set(), 0);
        return true;
      },
      onPassed: () => takeOver(after, one),
      onOver: () => {
        drop(after, one);
        finishIfLast();
      },
    });
    one.clients.add(client);
    catchUps.set(after, one);
    catchingUp.add(one);
  };

  return {
    joinable: () => {
      if (over) return false;
      if (resumable || source.seen() === 0) return true;
      return retained?.payloads() !== undefined;
    },
    join: (client, after) => {
      const place = after === undefined ? undefined : log.find(after);
      if (after !== undefined && place === undefined) return catchUp(client, after);
      if (place !== undefined) return goLive(client, place, new Set(), 0);
      client.begin(source.seen(), 0);
      live.set(client, undefined);
      for (const batch of inBatches(retained?.payloads() ?? [])) client.deliver(batch);
    },
    leave: (client) => {
      if (over) return;
      live.delete(client);
      for (const [key, one] of entriesOf(catchingUp, catchUps)) {
        if (!one.clients.delete(client) || one.clients.size > 0) continue;
        one.close();
        drop(key, one);
      }
      finishIfLast();
    },
    cursorOf: (client) => {
      for (const one of catchingUp) if (one.clients.has(client)) return one.cursor();
      // What it has had of events to come, the newest last.
      return [...(live.get(client) ?? [])].at(-1) ?? passedTo;
    },
    move: (run) => {
      source.move(run);
      for (const one of catchingUp) one.move(run);
    },
  };
}

/** The catch-ups with the cursor under which each may be known; '' for one that is not. */
function entriesOf(all: ReadonlySet<CatchUp>, known: ReadonlyMap<string, CatchUp>) {
  const names = new Map([...known].map(([key, one]) => [one, key]));
  return [...all].map((one) => [names.get(one) ?? '', one] as const);
}
