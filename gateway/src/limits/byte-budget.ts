import type { Identity } from '@gudang/auth';
import { callerKey, isLoopbackAddress, type Metrics } from '@gudang/runtime';
import {
  type AccountOwner,
  type BudgetMetrics,
  ByteAccount,
  type ByteKind,
  createBudgetMetrics,
} from './byte-account.ts';

/** Limits in bytes. */
export interface ByteLimits {
  /** Maximum of all accounts together. */
  readonly total: number;
  /** Maximum of one principal, or of one address for anonymous callers. */
  readonly perCaller: number;
  /** Maximum of one websocket, or of one HTTP request. */
  readonly perConnection: number;
}

/** The caller of a connection; see `ByteBudget.connection`. */
export interface Caller {
  readonly identity: Pick<Identity, 'subject'>;
  /** The client's address, as `ClientAddress` returns it. */
  readonly address: string;
}

/**
 * The memory that clients can make the gateway hold, in bytes: one budget for live streams and
 * answers. Accounts form a tree: total → caller → connection → stream. Bytes count towards an
 * account and every account above it. Reserving and releasing take constant time and allocate
 * nothing.
 *
 * When a reservation exceeds a limit, the budget first drops optional bytes below that limit. If
 * this is not enough, it ends the account that holds the most, until the reservation fits. If the
 * reservation belongs to that account itself, the reservation is refused instead, and its caller
 * decides what to do. An account therefore never ends because of another account's use.
 *
 * Strings count with `bytesOf`; buffers count with their length.
 */
export class ByteBudget {
  readonly #limits: ByteLimits;
  readonly #metrics: BudgetMetrics;
  readonly #callers = new Map<string, ByteAccount>();
  readonly #total: ByteAccount;

  constructor(limits: ByteLimits, metrics: Metrics) {
    this.#limits = limits;
    this.#metrics = createBudgetMetrics(metrics);
    this.#total = new ByteAccount({ level: 'total', limit: limits.total, metrics: this.#metrics });
  }

  /** Bytes of all accounts. */
  get used(): number {
    return this.#total.used;
  }

  /** Returns the bytes of one kind. Those of ended accounts count until they are released. */
  held(kind: ByteKind): number {
    return this.#metrics.bytes.get(kind) ?? 0;
  }

  /**
   * Opens the account of a connection: a websocket after `connection_init`, or an HTTP request.
   * Loopback addresses have no account for the caller, as for the limits per address.
   */
  connection({ identity, address }: Caller, owner: AccountOwner = {}): ByteAccount {
    const limit = this.#limits.perConnection;
    return this.#callerOf(identity.subject, address).open({ level: 'connection', limit }, owner);
  }

  #callerOf(subject: string | undefined, address: string): ByteAccount {
    if (subject === undefined && isLoopbackAddress(address)) return this.#total;
    const key = callerKey(subject, address);
    const existing = this.#callers.get(key);
    if (existing) return existing;
    const caller = this.#total.open({
      level: 'caller',
      limit: this.#limits.perCaller,
      key,
      onUnused: () => this.#callers.delete(key),
    });
    this.#callers.set(key, caller);
    return caller;
  }
}
