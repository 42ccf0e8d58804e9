import type { FormattedExecutionResult, GraphQLFormattedError } from 'graphql';
import type { ByteAccount, ByteHold } from '../../limits/byte-account.ts';
import type { SubgraphAnswer } from '../../subgraphs/subgraph-answer.ts';
import { EventBacklog, type PositionReport, type QueuedEvent } from './event-backlog.ts';
import type { EventRun } from './event-run.ts';
import type { UpstreamSink } from './linked-stream.ts';
import { createPayload, type LivePayload } from './live-payload.ts';
import { PausePoint } from './pause-point.ts';
import { createSnapshotItem, type SnapshotItem } from './snapshot-marker.ts';
import type { EventTurns } from './turns.ts';

/** Number of waiting bytes above which a resumable subscription is paused. */
const PAUSE_ABOVE = 4 * 1024 * 1024;
/** The same for a catch-up: about 800 small events. */
const PAUSE_PATIENT_ABOVE = 1024 * 1024;
/** Number of waiting events above which a subscription is paused if none of them may be dropped. */
const PAUSE_ABOVE_EVENTS = 500;
/** Maximum number of bytes of the messages of events that are executed together. */
const TOGETHER_BYTES = 256 * 1024;

/** An executed event. */
export interface LiveEvent {
  readonly payload: LivePayload;
  /** Time of the event's arrival, by `performance.now()`. */
  readonly arrived: number;
  /**
   * Whether the event's subgraph sends position reports. If so, cursors of events are not positions
   * of the stream before the first report.
   */
  readonly reportsPositions: boolean;
}

/** An item of an upstream stream, in the stream's order. */
export type StreamItem = LiveEvent | PositionReport | SnapshotItem;

/**
 * Receives the items of a subscription through `pass`. `error`, `complete` and `overrun` are called
 * when the subscription ends.
 */
export interface StreamSink {
  /** @param items all items since the last call, so that bursts are written together */
  readonly pass: (items: readonly StreamItem[]) => void;
  /** The subscription is paused, and has passed on all of its events. Call `resume` to continue. */
  readonly drained: () => void;
  readonly error: (errors: readonly GraphQLFormattedError[]) => void;
  readonly complete: () => void;
  /** The subscription ends because the backlog is full and no further event may be dropped. */
  readonly overrun: () => void;
}

interface RunnableEvent extends QueuedEvent {
  readonly run: EventRun;
}

/**
 * States of a subscription to a subgraph.
 *
 * - `receiving`: events are queued, executed in order, and sent to the sink. → `ending`
 *   when the subgraph ends the stream or the backlog is full. → `paused` when too many bytes wait, or
 *   when the owner has asked for it by `pause`, at the next point at which the stream can continue.
 * - `paused`: the subgraph's stream is closed. Waiting events are still executed and sent to the
 *   sink. → `receiving` when the owner calls `resume`: a new subscription continues after the last
 *   event.
 * - `ending`: no further event is accepted, but waiting events are still executed and sent to the
 *   sink. → `closed` after the last waiting event, when the sink receives the reason.
 * - `closed`: final. `close()` enters this state from any other state, and the sink receives
 *   nothing more.
 */
type SubscriptionState = 'receiving' | 'paused' | 'ending' | 'closed';

interface SubscriptionOptions {
  readonly run: EventRun;
  /** Cursor after which the subscription continues; undefined for only new events. */
  readonly after: string | undefined;
  /** Whether a newer event may replace a waiting event of the same key. */
  readonly conflates: boolean;
  /** Whether the subscription can continue after a cursor, and thus be paused. */
  readonly resumable: boolean;
  /** Counts the waiting events. */
  readonly account: ByteAccount;
  readonly turns: EventTurns;
  /** Whether executions always wait for a turn, because other streams are more urgent. */
  readonly isPatient: boolean;
  /** Whether the subgraph should send the events with pauses, because other streams are more urgent. */
  readonly isSlow: boolean;
  /** Called for each event, before the event is executed. */
  readonly onEvent: () => void;
  /** Called when the subscription is paused. */
  readonly onPause: () => void;
  readonly sink: StreamSink;
}

/** One subscription to a subgraph, and the execution of its events. */
export class UpstreamSubscription {
  readonly #options: SubscriptionOptions;
  readonly #sink: StreamSink;
  /** Counts the executed items. */
  readonly #hold: ByteHold;
  readonly #pausePoint = new PausePoint();
  readonly #backlog: EventBacklog<RunnableEvent>;
  #state: SubscriptionState = 'receiving';
  #run: EventRun;
  #cursor: string | undefined;
  #subscribed = false;
  #isPauseWanted = false;
  #seq = 0;
  #executing: readonly RunnableEvent[] = [];
  #isExecuting = false;
  /** Executed items that wait for the end of this turn of the event loop. */
  #executed: StreamItem[] = [];
  #isFlushing = false;
  #end = (): void => {};
  #unsubscribe: () => void;

  constructor(options: SubscriptionOptions) {
    this.#options = options;
    this.#sink = options.sink;
    this.#hold = options.account.hold('events');
    const { conflates, resumable: groups } = options;
    this.#backlog = new EventBacklog(options.account.hold('events'), { conflates, groups });
    this.#run = options.run;
    this.#cursor = options.after;
    this.#unsubscribe = this.#subscribe();
  }

  /** Number of events that have arrived. */
  get seen(): number {
    return this.#seq;
  }

  /** Whether an event up to `seq` was replaced by an event not yet sent to the sink. */
  hasReplacedUpTo(seq: number): boolean {
    const waiting = [...this.#executed, ...this.#executing, ...this.#backlog.items];
    return waiting.some((item) => replacedBy(item).some((replaced) => replaced <= seq));
  }

  /**
   * Continues with another run. If the new run receives other events, a new subscription replaces
   * the old one and starts after the last cursor. The old run still executes events that are
   * already waiting.
   */
  move(run: EventRun): void {
    if (this.#state === 'ending' || this.#state === 'closed') return;
    const sameEvents = run.origin === this.#run.origin;
    this.#run = run;
    if (sameEvents || this.#state === 'paused') return;
    this.#unsubscribe();
    this.#unsubscribe = this.#subscribe();
  }

  /** Asks for a pause, at the next point at which the stream can continue. */
  pause(): void {
    this.#isPauseWanted = this.#options.resumable;
  }

  /** Continues after a pause. */
  resume(): void {
    if (this.#state !== 'paused') return;
    this.#state = 'receiving';
    this.#unsubscribe = this.#subscribe();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#state = 'closed';
    this.#backlog.clear();
    this.#executed = [];
    this.#hold.releaseAll();
    this.#unsubscribe();
  }

  get #isClosed(): boolean {
    return this.#state === 'closed';
  }

  #subscribe(): () => void {
    const sink: UpstreamSink = {
      next: (event, reportsPositions, messageBytes) =>
        this.#receive(event as SubgraphAnswer, reportsPositions, messageBytes),
      position: (position) => {
        if (this.#state !== 'receiving') return;
        this.#cursor = position ?? this.#cursor;
        this.#enqueue({ position, seq: this.#seq });
        if (this.#pausePoint.report(position) && this.#mustPause) this.#stopReceiving();
      },
      snapshot: (marker) => {
        if (this.#state !== 'receiving') return;
        this.#pausePoint.snapshot();
        this.#enqueue(createSnapshotItem(marker, this.#seq));
      },
      error: (errors) => this.#endWith(() => this.#sink.error(errors)),
      complete: () => this.#endWith(() => this.#sink.complete()),
    };
    return this.#run.subscribe(() => this.#resumeCursor(), sink, this.#options.isSlow);
  }

  /**
   * Returns the cursor to subscribe from. On a resubscription, also queues an entry that clears the
   * position, because position reports of the earlier subscription no longer apply.
   */
  #resumeCursor(): string | undefined {
    if (this.#subscribed) this.#enqueue({ position: undefined, seq: this.#seq });
    this.#subscribed = true;
    this.#isPauseWanted = false;
    this.#pausePoint.reset();
    return this.#cursor;
  }

  #receive(event: SubgraphAnswer, reportsPositions: boolean, messageBytes: number): void {
    if (this.#state !== 'receiving') return;
    const marks = this.#run.takeMarks(event);
    const isPausePoint = this.#pausePoint.precedes(marks.cursor, reportsPositions);
    // The event is not taken, because the subgraph sends it again after the pause.
    if (isPausePoint && this.#mustPause) {
      this.#stopReceiving();
      return;
    }
    this.#seq += 1;
    this.#options.onEvent();
    this.#cursor = marks.cursor ?? this.#cursor;
    this.#enqueue({
      event,
      marks,
      messageBytes,
      run: this.#run,
      seq: this.#seq,
      arrived: performance.now(),
      reportsPositions,
      replaced: [],
      more: false,
    });
  }

  #enqueue(item: RunnableEvent | PositionReport | SnapshotItem): void {
    const fits = this.#backlog.add(item);
    // Adding may have ended other streams or connections, and with them this subscription.
    if (this.#isClosed) this.#backlog.clear();
    else if (!this.#isExecuting) void this.#executeAll();
    if (fits || this.#isClosed) return;
    this.#backlog.clear();
    this.#endWith(() => this.#sink.overrun());
  }

  /**
   * Executes waiting events in order, so that fields of other subgraphs are read in the order of
   * delivery. A later event then never shows an older state of these fields: events that are executed
   * together are read by the same request, and the next ones after its answer.
   */
  async #executeAll(): Promise<void> {
    const { isPatient, turns } = this.#options;
    this.#isExecuting = true;
    if (isPatient || turns.mustWait(false)) await turns.next(isPatient);
    for (let item = this.#next(); item; item = this.#next()) {
      if ('event' in item) await this.#execute(this.#withFollowing(item));
      else {
        this.#executed.push(item);
        this.#backlog.release(item);
      }
      this.#flushSoon();
      if (turns.mustWait(isPatient)) await turns.next(isPatient);
    }
    this.#isExecuting = false;
    this.#flushSoon();
  }

  /** Takes the events that are executed together with the first one. */
  #withFollowing(first: RunnableEvent): readonly RunnableEvent[] {
    const { run } = first;
    const events = [first];
    let bytes = first.messageBytes;
    while (events.length < run.together) {
      const [next] = this.#backlog.items;
      if (!next || !('event' in next) || next.run !== run) break;
      bytes += next.messageBytes;
      if (bytes > TOGETHER_BYTES) break;
      this.#backlog.shift();
      events.push(next);
    }
    return events;
  }

  async #execute(events: readonly RunnableEvent[]): Promise<void> {
    const { isPatient, turns } = this.#options;
    const { iteration } = turns;
    const since = performance.now();
    this.#executing = events;
    const [first] = events;
    const results = await first?.run.execute(
      events.map(({ event }) => event),
      first.arrived,
    );
    this.#executing = [];
    for (const [index, item] of events.entries()) {
      const result = results?.[index];
      if (result && !this.#isClosed) this.#add(item, result);
      this.#backlog.release(item);
    }
    turns.spend(iteration, performance.now() - since, isPatient);
  }

  #add(item: RunnableEvent, result: FormattedExecutionResult): void {
    const { marks, arrived, reportsPositions } = item;
    const payload = createPayload(result, marks, item);
    this.#executed.push({ payload, arrived, reportsPositions });
    this.#hold.charge(payload.size);
  }

  #next(): RunnableEvent | PositionReport | SnapshotItem | undefined {
    return this.#isClosed ? undefined : this.#backlog.shift();
  }

  get #mustPause(): boolean {
    const { account, conflates, isPatient, resumable } = this.#options;
    if (!resumable) return false;
    const { bytes, items } = this.#backlog;
    if (!conflates && items.length > PAUSE_ABOVE_EVENTS) return true;
    const limit = isPatient ? PAUSE_PATIENT_ABOVE : PAUSE_ABOVE;
    return this.#isPauseWanted || bytes > limit || (bytes > 0 && account.isTight);
  }

  /** Pauses: the subgraph's stream is closed until `resume`. */
  #stopReceiving(): void {
    this.#state = 'paused';
    this.#unsubscribe();
    this.#options.onPause();
    this.#flushSoon();
  }

  #flushSoon(): void {
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    // Runs after all events of this turn of the event loop, so that bursts are written together.
    setImmediate(() => this.#flush());
  }

  #flush(): void {
    this.#isFlushing = false;
    if (this.#isClosed) return;
    const items = this.#executed;
    this.#executed = [];
    if (items.length > 0) this.#sink.pass(items);
    this.#hold.releaseAll();
    if (this.#isExecuting || this.#backlog.items.length > 0) return;
    if (this.#state === 'paused') this.#sink.drained();
    if (this.#state !== 'ending') return;
    this.close();
    this.#end();
  }

  #endWith(end: () => void): void {
    if (this.#state === 'receiving') {
      this.#state = 'ending';
      this.#end = end;
    }
    this.#flushSoon();
  }
}

function replacedBy(item: RunnableEvent | StreamItem): readonly number[] {
  if ('payload' in item) return item.payload.replaced;
  return 'event' in item ? item.replaced : [];
}
