import type { OrderWatcher } from '@gudang/testing/clients/order-watcher';
import type { TopicRecord } from '@gudang/testing/topic-archive';

/** State of a settled system: database rows, Kafka records and the clients' observations. */
export interface History {
  readonly orders: readonly OrderRow[];
  readonly decisions: readonly DecisionRow[];
  readonly stocks: readonly StockRow[];
  readonly movements: readonly MovementRow[];
  /** Number of events that are still in an outbox, over both databases. */
  readonly unsent: number;
  /** Number of outbox events that were rejected. */
  readonly setAside: number;
  /** All records by topic. The topic names do not have the system's prefix. */
  readonly records: Readonly<Record<string, readonly TopicRecord[]>>;
  readonly observed: Observations;
}

export interface OrderRow {
  readonly id: string;
  readonly productId: string;
  readonly quantity: number;
  readonly status: string;
  readonly reason: string | null;
  /** Whether the order has a request to cancel that was not refused. */
  readonly isCancelRequested: boolean;
}

export interface DecisionRow {
  readonly orderId: string;
  readonly productId: string;
  readonly quantity: number;
  readonly status: string;
  readonly reason: string | null;
  /** Whether a request to cancel was refused. */
  readonly isCancelRefused: boolean;
}

export interface StockRow {
  readonly id: string;
  readonly quantity: number;
  readonly version: number;
  readonly deleted: boolean;
}

export interface MovementRow {
  readonly stockId: string;
  readonly version: number;
  readonly kind: string;
  readonly delta: number;
  readonly quantityAfter: number;
  readonly reason: string | null;
  readonly orderId: string | null;
}

/** Responses and events that clients received, and records that the test wrote to Kafka. */
export interface Observations {
  readonly acknowledged: readonly Acknowledged[];
  readonly added: readonly { readonly stockId: string; readonly quantity: number }[];
  readonly adjusted: readonly Adjusted[];
  /** Ids of the orders whose cancellation was acknowledged. */
  readonly cancelled: readonly string[];
  /**
   * Orders of another system. They have valid records in order_created but no row in the order
   * database.
   */
  readonly foreign: readonly { readonly id: string; readonly productId: string }[];
  readonly watchers: readonly StockWatcher[];
  readonly orderWatchers: readonly OrderWatcher[];
}

/** An order that was acknowledged to a client. */
export interface Acknowledged {
  readonly id: string;
  readonly productId: string;
  readonly quantity: number;
  readonly idempotencyKey: string | null;
  /** Time until the acknowledgement, including all attempts, in milliseconds. */
  readonly latency: number;
  /** Duration of the successful attempt, in milliseconds. */
  readonly answeredIn: number;
}

export interface Adjusted {
  readonly stockId: string;
  readonly delta: number;
  /** A unique reason, which identifies the ledger entry. */
  readonly reason: string;
  /** Whether a response arrived. If false, the adjustment may or may not have been applied. */
  readonly acknowledged: boolean;
}

/** Events that one subscriber received over all its connections, in order. */
export interface StockWatcher {
  readonly name: string;
  /** Versions of the subscribed stocks when the subscription started, by stock id. */
  readonly since: ReadonlyMap<string, number>;
  /** Reason why the server ended the stream. Present only if the server did so, which is a violation. */
  readonly ended?: string | undefined;
  readonly seen: readonly {
    readonly stockId: string;
    readonly version: number;
    readonly quantity: number;
    readonly kind: string;
  }[];
}

/** A violated guarantee. */
export interface Breach {
  /** Number of the guarantee, as in the invariants' docstrings. */
  readonly guarantee: 1 | 2 | 3 | 4 | 5 | 6;
  readonly what: string;
}

export type Invariant = (history: History) => Breach[];

export function groupBy<T, K>(all: readonly T[], keyOf: (one: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const one of all) {
    const key = keyOf(one);
    const group = groups.get(key);
    if (group) group.push(one);
    else groups.set(key, [one]);
  }
  return groups;
}

export function byId<T>(all: readonly T[], idOf: (one: T) => string): Map<string, T> {
  return new Map(all.map((one) => [idOf(one), one]));
}

/** Returns the fields of a record's value; undefined if the value is not a JSON object. */
export function fieldsOf(value: Buffer | null): Record<string, unknown> | undefined {
  try {
    const json: unknown = JSON.parse(value?.toString() ?? '');
    return typeof json === 'object' && json !== null ? { ...json } : undefined;
  } catch {
    return undefined;
  }
}
