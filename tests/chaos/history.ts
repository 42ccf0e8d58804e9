import type { OrderWatcher } from '@gudang/testing/clients/order-watcher';
import type { TopicRecord } from '@gudang/testing/topic-archive';

/** All that is known once a system has settled: what is stored, what was sent, what was told. */
export interface History {
  readonly orders: readonly OrderRow[];
  readonly decisions: readonly DecisionRow[];
  readonly stocks: readonly StockRow[];
  readonly movements: readonly MovementRow[];
  /** Events that wait in, or were set aside from, either outbox. */
  readonly unsent: number;
  readonly setAside: number;
  /** Records by topic, without the system's prefix, from the beginning. */
  readonly records: Readonly<Record<string, readonly TopicRecord[]>>;
  readonly told: Told;
}

export interface OrderRow {
  readonly id: string;
  readonly productId: string;
  readonly quantity: number;
  readonly status: string;
  readonly reason: string | null;
}

export interface DecisionRow {
  readonly orderId: string;
  readonly productId: string;
  readonly quantity: number;
  readonly status: string;
  readonly reason: string | null;
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

/** What clients were told, and what others have put into topics. */
export interface Told {
  readonly acknowledged: readonly Acknowledged[];
  readonly added: readonly { readonly stockId: string; readonly quantity: number }[];
  readonly adjusted: readonly Adjusted[];
  /** Orders of another system: valid records of order_created that no order of ours stands for. */
  readonly foreign: readonly { readonly id: string; readonly productId: string }[];
  readonly watchers: readonly Watcher[];
  readonly orderWatchers: readonly OrderWatcher[];
}

/** An order that a client was told is taken. */
export interface Acknowledged {
  readonly id: string;
  readonly productId: string;
  readonly quantity: number;
  readonly idempotencyKey: string | null;
  /** How long the answer took, in milliseconds, with all tries. */
  readonly latency: number;
  /** How long the try took that brought the answer. */
  readonly answeredIn: number;
}

export interface Adjusted {
  readonly stockId: string;
  readonly delta: number;
  /** Its name in the ledger: unique. */
  readonly reason: string;
  /** False when no answer came: then it may have happened, or not. */
  readonly acknowledged: boolean;
}

/** What one live client has seen, in order, over all its connections. */
export interface Watcher {
  readonly name: string;
  /** What it watches, and the version of each when it began. */
  readonly since: ReadonlyMap<string, number>;
  /** What the server ended it with; a live stream goes on. */
  readonly ended?: string | undefined;
  readonly seen: readonly {
    readonly stockId: string;
    readonly version: number;
    readonly quantity: number;
    readonly kind: string;
  }[];
}

/** A guarantee that did not hold. */
export interface Breach {
  /** As numbered in the guarantees. */
  readonly guarantee: 1 | 2 | 3 | 4 | 5 | 6;
  readonly what: string;
}

export type Invariant = (history: History) => Breach[];
