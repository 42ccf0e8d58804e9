import type { ByteAccount, ByteHold } from '../../limits/byte-account.ts';
import type { EventRun } from '../upstream/event-run.ts';
import type { LivePayload } from '../upstream/live-payload.ts';
import type { StreamItem, UpstreamSubscription } from '../upstream/upstream-subscription.ts';
import type { CatchUpEvents, CatchUpGate } from './catch-up-gate.ts';
import { CursorLog } from './cursor-log.ts';
import { inBatches, type StreamClient } from './stream-client.ts';

/**
 * Time without an event or a position report after which a catch-up frees its slot, in
 * milliseconds.
 */
const QUIET_MS = 1_000;
/**
 * Time after which a catch-up that has received nothing frees its slot, in milliseconds. Without
 * this limit, an unavailable subgraph would block the other catch-ups.
 */
const SILENT_MS = 5_000;
/** Maximum number of cursors that are kept to find a common cursor with the stream. */
const MAX_CURSORS = 256;

/**
 * States of a catch-up.
 *
 * - `blocked`: none of its clients is ready for more data. → `waiting` when one is ready.
 * - `waiting`: the gate has no free slot. → `serving` when the catch-up gets a slot, or `over`
 *   instead if the stream's replay buffer contains the catch-up's cursor by then.
 * - `serving`: its private upstream serves its clients. → `blocked` when too much waits, when all of
 *   its clients are slow, or above the rate limit of replayed events: the upstream is paused. → `over` when its clients have moved to the
 *   stream, or the upstream ends.
 * - `over`: final. Every state leads here when the last client leaves.
 */
type CatchUpState = 'blocked' | 'waiting' | 'serving' | 'over';

interface CatchUpOptions {
  /** The cursor after which its clients continue. */
  readonly after: string;
  /** Its first client, who owns the catch-up. */
  readonly first: StreamClient;
  /** Subgraph and weight of its events. */
  readonly events: CatchUpEvents;
  readonly gate: CatchUpGate;
  /** Called when the gate gives the catch-up a slot; never before the constructor has returned. */
  readonly onTurn: (catchUp: CatchUp) => void;
  /** Called when the memory of the catch-up is needed. */
  readonly onEvict: (catchUp: CatchUp) => void;
}

/**
 * Private upstream for clients that resume from the same cursor. It serves these clients until it
 * and the shared stream have delivered a common cursor.
 */
export class CatchUp {
  /** The cursor after which its clients continue. */
  readonly after: string;
  /** Counts the memory of the catch-up. */
  readonly account: ByteAccount;
  /** Last cursors of the upstream. The stream searches them for a common cursor. */
  readonly cursors = new CursorLog();
  readonly clients = new Set<StreamClient>();
  readonly #options: CatchUpOptions;
  readonly #hold: ByteHold;
  #state: CatchUpState = 'blocked';
  /** The caller whose slot the catch-up has. */
  #owner: ByteAccount;
  /** Leave the gate, by the caller for whom the catch-up waits or runs. */
  readonly #gates = new Map<ByteAccount, () => void>();
  #upstream: UpstreamSubscription | undefined;
  #quiet: NodeJS.Timeout | undefined;
  #cursor: string;

  constructor(options: CatchUpOptions) {
    const { account } = options.first;
    this.#owner = account.caller;
    this.#options = options;
    this.after = options.after;
    this.#cursor = options.after;
    this.account = account.stream({ onEvict: () => options.onEvict(this) });
    this.#hold = this.account.hold('events');
    this.add(options.first);
  }

  /** Whether new clients with the same cursor may join, which is possible until the first event. */
  get isJoinable(): boolean {
    return this.#state !== 'over' && (this.#upstream?.seen ?? 0) === 0;
  }

  /** The cursor after the last delivered event. */
  get cursor(): string {
    return this.#cursor;
  }

  add(client: StreamClient): void {
    this.clients.add(client);
    this.account.share(client.account);
    client.onReady = () => this.#unblock();
    if (this.#state === 'waiting') this.#enterGate(client);
    else this.#unblock();
  }

  /** Whether an event up to `seq` was replaced by an event that is not delivered yet. */
  hasDroppedUpTo(seq: number): boolean {
    return this.#upstream?.hasReplacedUpTo(seq) ?? false;
  }

  /** Starts or continues the upstream. Call when the gate has given the catch-up a slot. */
  serve(open: () => UpstreamSubscription): void {
    this.#state = 'serving';
    if (this.#upstream) this.#upstream.resume();
    else this.#upstream = open();
    this.#quiet = setTimeout(() => this.#leaveGate(), SILENT_MS);
  }

  /** Delivers items of its upstream to its clients. */
  pass(items: readonly StreamItem[]): void {
    clearTimeout(this.#quiet);
    this.#quiet = setTimeout(() => this.#leaveGate(), QUIET_MS);
    const events = deliverAll(items, this.clients);
    for (const item of items) {
      if ('phase' in item) continue;
      if ('payload' in item) this.cursors.add(item.payload, item.reportsPositions);
      else this.cursors.report(item.position, item.seq);
      this.#cursor = ('payload' in item ? item.payload.cursor : item.position) ?? this.#cursor;
    }
    while (this.cursors.size > MAX_CURSORS) this.cursors.shift();
    this.#hold.releaseAll();
    if (this.#state === 'over') return;
    this.#hold.charge(this.cursors.bytes);
    const { gate, events: replayed } = this.#options;
    const mayContinue = gate.replayed(this.#owner, events * replayed.weight);
    if (!mayContinue || [...this.clients].every((client) => client.isSlow)) this.#upstream?.pause();
  }

  /** Frees the slot of a paused catch-up, which waits for another one. */
  drained(): void {
    if (this.#state !== 'serving') return;
    clearTimeout(this.#quiet);
    this.#block();
    this.#unblock();
  }

  move(run: EventRun): void {
    this.#upstream?.move(run);
  }

  close(): void {
    this.#state = 'over';
    clearTimeout(this.#quiet);
    for (const client of this.clients) client.onReady = undefined;
    this.#upstream?.close();
    this.#leaveGate();
    this.#hold.releaseAll();
    this.account.close();
  }

  get #canDeliver(): boolean {
    return [...this.clients].some((client) => client.isReady);
  }

  #unblock(): void {
    if (this.#state !== 'blocked' || !this.#canDeliver) return;
    this.#state = 'waiting';
    for (const client of this.clients) this.#enterGate(client);
  }

  /** Waits for a slot of a client's caller, so that no client waits behind another caller. */
  #enterGate({ account: { caller } }: StreamClient): void {
    if (this.#gates.has(caller)) return;
    // The gate may call the function before `enter` and the constructor have returned, so the turn
    // is deferred.
    const turn = (): void => queueMicrotask(() => this.#takeTurn(caller));
    const { gate, events } = this.#options;
    this.#gates.set(caller, gate.enter(caller, events, turn));
  }

  #takeTurn(caller: ByteAccount): void {
    if (this.#state !== 'waiting') return;
    for (const [other, leave] of this.#gates) if (other !== caller) leave();
    this.#owner = caller;
    if (this.#canDeliver) this.#options.onTurn(this);
    else this.#block();
  }

  #block(): void {
    this.#leaveGate();
    this.#gates.clear();
    this.#state = 'blocked';
  }

  #leaveGate(): void {
    for (const leave of this.#gates.values()) leave();
  }
}

/** Delivers events and markers in their order. @returns the number of events */
function deliverAll(items: readonly StreamItem[], clients: ReadonlySet<StreamClient>): number {
  let events = 0;
  let payloads: LivePayload[] = [];
  const deliver = (): void => {
    events += payloads.length;
    for (const batch of inBatches(payloads)) for (const client of clients) client.deliver(batch);
    payloads = [];
  };
  for (const item of items) {
    if ('payload' in item) payloads.push(item.payload);
    else if ('phase' in item) {
      deliver();
      for (const client of clients) client.announce(item);
    }
  }
  deliver();
  return events;
}
