import type { ReplayRate } from '../../limits/replay-rate.ts';

/** The caller for whom a catch-up runs. */
export interface CatchUpOwner {
  /** Identifies the caller for the rate limit; undefined if it has no limit. */
  readonly key: string | undefined;
}

/** The events that a catch-up replays. */
export interface CatchUpEvents {
  readonly subgraph: string;
  /** Number of events as which each of them counts. */
  readonly weight: number;
}

/**
 * Limits the number of concurrent catch-ups, in total, per owner and per subgraph, and the events that
 * they replay for one owner. Further catch-ups wait: those of one owner in order of arrival, and the
 * owners in turn, so that an owner with many catch-ups does not delay the others. A subgraph that does
 * not answer leaves slots for the catch-ups of the other subgraphs.
 */
export interface CatchUpGate {
  /**
   * Starts a catch-up at once, or as soon as a slot is free.
   * @returns a function that frees the catch-up's slot, or cancels the catch-up if it is still
   * waiting
   */
  readonly enter: (owner: CatchUpOwner, events: CatchUpEvents, run: () => void) => () => void;
  /** Counts replayed events. @returns whether the owner's catch-ups may continue */
  readonly replayed: (owner: CatchUpOwner, events: number) => boolean;
  /**
   * Counts a stream that a client of the owner joins.
   * @param weight number of streams as which it counts
   */
  readonly joinStream: (owner: CatchUpOwner, weight: number) => Membership;
  /** Whether the events of one more stream of the owner would count like replayed ones. */
  readonly isMetered: (owner: CatchUpOwner) => boolean;
}

/** A client of a stream. */
export interface Membership {
  readonly owner: CatchUpOwner;
  /** Whether the owner has so many streams that this one's events count like replayed ones. */
  readonly isMetered: boolean;
  readonly leave: () => void;
}

/** A catch-up that waits for a slot. */
interface Waiting {
  readonly subgraph: string;
  /** The catch-up's number, in order of arrival. */
  readonly number: number;
  readonly begin: () => void;
}

/** The catch-ups of one owner. */
interface Queue {
  /** Waiting catch-ups by subgraph, each in order of arrival. */
  readonly waiting: Map<string, Set<Waiting>>;
  running: number;
}

/** One owner may use at most this part of the slots. */
const OWNER_PART = 10;
/** Part of the slots that the catch-ups of one subgraph may use. */
const SUBGRAPH_PART = 0.8;
/**
 * Number of streams of one owner whose events do not count. With many streams of its own, a caller
 * would otherwise multiply each change of the data.
 */
const FREE_STREAMS = 20;
/** Number of events for which the start of a catch-up counts. */
const START_EVENTS = 5;

/**
 * Creates a gate.
 * @param limit maximum number of concurrent catch-ups; one owner may have a tenth of them, and one
 * subgraph four fifths
 */
export function createCatchUpGate(
  limit: number,
  rate: Pick<ReplayRate, 'spend' | 'waitMs'>,
): CatchUpGate {
  return new Gate(limit, rate);
}

class Gate implements CatchUpGate {
  readonly #limit: number;
  readonly #perOwner: number;
  readonly #perSubgraph: number;
  readonly #rate: Pick<ReplayRate, 'spend' | 'waitMs'>;
  /** Owners with catch-ups, the next one in turn first. */
  readonly #queues = new Map<CatchUpOwner, Queue>();
  readonly #streams = new Map<CatchUpOwner, number>();
  /** Numbers of running catch-ups by subgraph. */
  readonly #ofSubgraph = new Map<string, number>();
  #entered = 0;
  #running = 0;
  #retry: NodeJS.Timeout | undefined;
  /** Time of `#retry`, by `performance.now()`. */
  #retryAt = Number.POSITIVE_INFINITY;

  constructor(limit: number, rate: Pick<ReplayRate, 'spend' | 'waitMs'>) {
    this.#limit = limit;
    this.#perOwner = Math.max(1, Math.floor(limit / OWNER_PART));
    this.#perSubgraph = Math.ceil(limit * SUBGRAPH_PART);
    this.#rate = rate;
  }

  replayed(owner: CatchUpOwner, events: number): boolean {
    this.#rate.spend(owner.key, events);
    return this.#rate.waitMs(owner.key) === 0;
  }

  isMetered(owner: CatchUpOwner): boolean {
    return (this.#streams.get(owner) ?? 0) >= FREE_STREAMS;
  }

  joinStream(owner: CatchUpOwner, weight: number): Membership {
    const count = (this.#streams.get(owner) ?? 0) + weight;
    this.#streams.set(owner, count);
    return {
      owner,
      isMetered: count > FREE_STREAMS,
      leave: () => {
        const rest = (this.#streams.get(owner) ?? weight) - weight;
        if (rest > 0) this.#streams.set(owner, rest);
        else this.#streams.delete(owner);
      },
    };
  }

  enter(owner: CatchUpOwner, { subgraph, weight }: CatchUpEvents, run: () => void): () => void {
    let state: 'waiting' | 'running' | 'left' = 'waiting';
    const queue = this.#queues.get(owner) ?? { waiting: new Map(), running: 0 };
    this.#queues.set(owner, queue);
    const begin = (): void => {
      state = 'running';
      this.#rate.spend(owner.key, START_EVENTS * weight);
      run();
    };
    this.#entered += 1;
    const waiting: Waiting = { subgraph, number: this.#entered, begin };
    const others = queue.waiting.get(subgraph);
    if (others) others.add(waiting);
    else queue.waiting.set(subgraph, new Set([waiting]));
    // The catch-ups of other owners still wait for what they have waited for before.
    this.#startOne(owner, queue);
    return () => {
      if (state === 'left') return;
      const ran = state === 'running';
      if (ran) this.#count(queue, subgraph, -1);
      else remove(queue, waiting);
      state = 'left';
      if (queue.running === 0 && queue.waiting.size === 0) this.#queues.delete(owner);
      // The next catch-up starts in a microtask, because the catch-up that frees its slot may still
      // be moving its clients to the stream.
      if (ran) queueMicrotask(() => this.#startAll());
    };
  }

  #startAll(): void {
    while (this.#startNext());
  }

  #startNext(): boolean {
    for (const [owner, queue] of this.#queues) {
      if (this.#running >= this.#limit) return false;
      if (this.#startOne(owner, queue)) return true;
    }
    return false;
  }

  /** Starts the owner's first catch-up whose subgraph has a free slot, if the owner may start one. */
  #startOne(owner: CatchUpOwner, queue: Queue): boolean {
    if (this.#running >= this.#limit || queue.running >= this.#perOwner) return false;
    const next = this.#nextOf(queue);
    if (!next) return false;
    const waitMs = this.#rate.waitMs(owner.key);
    if (waitMs > 0) {
      this.#retryAfter(waitMs);
      return false;
    }
    this.#queues.delete(owner);
    this.#queues.set(owner, queue);
    remove(queue, next);
    this.#count(queue, next.subgraph, 1);
    next.begin();
    return true;
  }

  #nextOf({ waiting }: Queue): Waiting | undefined {
    let next: Waiting | undefined;
    for (const [subgraph, [first]] of waiting) {
      if ((this.#ofSubgraph.get(subgraph) ?? 0) >= this.#perSubgraph) continue;
      if (first && first.number < (next?.number ?? Number.POSITIVE_INFINITY)) next = first;
    }
    return next;
  }

  #count(queue: Queue, subgraph: string, change: 1 | -1): void {
    queue.running += change;
    this.#running += change;
    const running = (this.#ofSubgraph.get(subgraph) ?? 0) + change;
    if (running > 0) this.#ofSubgraph.set(subgraph, running);
    else this.#ofSubgraph.delete(subgraph);
  }

  #retryAfter(ms: number): void {
    const at = performance.now() + ms;
    if (at >= this.#retryAt) return;
    clearTimeout(this.#retry);
    this.#retryAt = at;
    this.#retry = setTimeout(() => {
      this.#retryAt = Number.POSITIVE_INFINITY;
      this.#startAll();
    }, ms);
    this.#retry.unref();
  }
}

function remove({ waiting }: Queue, one: Waiting): void {
  const ofSubgraph = waiting.get(one.subgraph);
  if (ofSubgraph?.delete(one) && ofSubgraph.size === 0) waiting.delete(one.subgraph);
}
