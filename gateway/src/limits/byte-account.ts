import type { Metrics } from '@gudang/runtime';

/**
 * Purpose of held bytes. `replay` and `lastValues` are optional: they only save work, so they are
 * dropped first.
 */
export type ByteKind = (typeof KINDS)[number];

const KINDS = [
  'streams',
  'events',
  'replay',
  'lastValues',
  'queues',
  'sockets',
  'answers',
] as const;
const OPTIONAL: ReadonlySet<ByteKind> = new Set(['replay', 'lastValues']);

/** Share of each limit above which no optional bytes are added. */
const OPTIONAL_SHARE = 0.75;
/** Share of each limit above which use is tight. */
const TIGHT_SHARE = 0.5;
/** Share of the total limit to which accounts are ended, so that they are searched rarely. */
const RELIEVED_SHARE = 0.9;

/** The limit that an account has: `stream` accounts count only towards the accounts above them. */
type Level = 'total' | 'caller' | 'connection' | 'stream';

/** Reactions of an account's owner when memory is needed. */
export interface AccountOwner {
  /**
   * Ends the owner, because its bytes are needed and it holds the most. The account then counts
   * nowhere, so the bytes may be released later; until then, every reservation fails. Never called
   * during a call by the account's own holders.
   */
  readonly onEvict?: () => void;
  /** Drops all optional bytes. Must release them before it returns. */
  readonly onShrink?: () => void;
}

export interface BudgetMetrics {
  /** Held bytes of each kind. */
  readonly bytes: Map<ByteKind, number>;
  readonly limited: (action: 'ended' | 'refused' | 'dropped', limit: Level) => void;
}

interface AccountOptions {
  readonly level: Level;
  readonly limit: number;
  readonly metrics: BudgetMetrics;
  /** Identifies a caller. */
  readonly key?: string;
  /** Called when the account's last child has closed. */
  readonly onUnused?: () => void;
}

/** Bytes of one caller, connection or stream; see `ByteBudget`. */
export class ByteAccount {
  readonly #options: AccountOptions;
  readonly #owner: AccountOwner;
  readonly #children = new Set<ByteAccount>();
  #parent: ByteAccount | undefined;
  #used = 0;
  #optional = 0;
  #isClosed = false;

  constructor(options: AccountOptions, owner: AccountOwner = {}, parent?: ByteAccount) {
    this.#options = options;
    this.#owner = owner;
    this.#parent = parent;
  }

  /** Bytes of this account and of all accounts below it. */
  get used(): number {
    return this.#used;
  }

  /** Opens an account below this one. Only `total` opens accounts of callers and connections. */
  open(options: Omit<AccountOptions, 'metrics'>, owner: AccountOwner = {}): ByteAccount {
    const { metrics } = this.#options;
    const child = new ByteAccount({ ...options, metrics }, owner, this);
    this.#children.add(child);
    return child;
  }

  /** Opens the account of a stream that only this account's client uses; see `share`. */
  stream(owner: AccountOwner): ByteAccount {
    return this.open({ level: 'stream', limit: Number.POSITIVE_INFINITY }, owner);
  }

  /**
   * Makes a stream's account count only towards accounts that it has in common with another client
   * of the stream: the connection, the caller, or the total.
   */
  share(other: ByteAccount): void {
    let parent = this.#parent;
    while (parent && !other.#isBelow(parent)) parent = parent.#parent;
    if (!parent || parent === this.#parent) return;
    // Added before it is removed, so that a caller without other accounts is not dropped between.
    parent.#children.add(this);
    parent.#change(this.#used, this.#optional);
    this.#detach();
    this.#parent = parent;
  }

  /**
   * Whether the connection or the caller uses more than half of its limit, optional bytes excepted.
   */
  get isTight(): boolean {
    for (let level: ByteAccount | undefined = this; level; level = level.#parent) {
      if (level.#options.level === 'total') continue;
      if (level.#used - level.#optional > level.#options.limit * TIGHT_SHARE) return true;
    }
    return false;
  }

  /**
   * The topmost account below the total: the caller's, or that of a connection from a loopback
   * address. Two accounts of the same caller have the same.
   */
  get caller(): ByteAccount {
    let account: ByteAccount = this;
    while (account.#parent && account.#parent.#options.level !== 'total') account = account.#parent;
    return account;
  }

  /** Identifies the caller of a caller's account; undefined for every other account. */
  get key(): string | undefined {
    return this.#options.key;
  }

  /** Starts to count bytes of one kind. */
  hold(kind: ByteKind): ByteHold {
    return new ByteHold(this, kind, this.#options.metrics);
  }

  /** Closes the account. Bytes that it still holds count until they are released. */
  close(): void {
    this.#isClosed = true;
    this.#closeIfUnused();
  }

  /**
   * Makes room for bytes at every level.
   * @returns false if the bytes do not fit because of this account's own use, or if the account has
   * been evicted or closed
   */
  admits(bytes: number): boolean {
    let top: ByteAccount = this;
    for (let level: ByteAccount | undefined = this; level; level = level.#parent) {
      top = level;
      if (level.#used + bytes <= level.#options.limit) continue;
      if (level.#makeRoom(bytes, this)) continue;
      this.#options.metrics.limited('refused', level.#options.level);
      return false;
    }
    return top.#options.level === 'total';
  }

  /** Whether optional bytes fit at every level. Ends and drops nothing. */
  admitsOptional(bytes: number): boolean {
    let top: ByteAccount = this;
    for (let level: ByteAccount | undefined = this; level; level = level.#parent) {
      top = level;
      if (level.#used + bytes > level.#options.limit * OPTIONAL_SHARE) return false;
    }
    return top.#options.level === 'total';
  }

  /** Adds bytes to this account and to all accounts above it; called by `ByteHold`. */
  add(bytes: number, isOptional: boolean): void {
    this.#change(bytes, isOptional ? bytes : 0);
    if (bytes < 0) this.#closeIfUnused();
  }

  #change(bytes: number, optional: number): void {
    for (let level: ByteAccount | undefined = this; level; level = level.#parent) {
      level.#used += bytes;
      level.#optional += optional;
    }
  }

  #isBelow(other: ByteAccount): boolean {
    for (let level: ByteAccount | undefined = this; level; level = level.#parent) {
      if (level === other) return true;
    }
    return false;
  }

  #makeRoom(bytes: number, requester: ByteAccount): boolean {
    const { limit, level, metrics } = this.#options;
    if (this.#optional > 0) {
      this.#shrink();
      metrics.limited('dropped', level);
    }
    if (this.#used + bytes <= limit) return true;
    if (level !== 'total' && level !== 'caller') return false;
    const target = level === 'total' ? limit * RELIEVED_SHARE : limit;
    for (const victim of this.#greediest(bytes, requester)) {
      if (requester.#isBelow(victim)) break;
      victim.#evict(level);
      if (this.#used + bytes <= target) break;
    }
    return this.#used + bytes <= limit;
  }

  #shrink(): void {
    if (this.#optional === 0) return;
    this.#owner.onShrink?.();
    for (const child of this.#children) child.#shrink();
  }

  /**
   * Returns the accounts that can be ended, by their callers' use, then by their own use. The bytes
   * that the requester asks for count as its use.
   */
  #greediest(bytes: number, requester: ByteAccount): ByteAccount[] {
    return [...this.#children]
      .map((child) => ({ child, use: child.#used + (requester.#isBelow(child) ? bytes : 0) }))
      .filter(({ use }) => use > 0)
      .sort((one, other) => other.use - one.use)
      .flatMap(({ child }) =>
        child.#owner.onEvict ? [child] : child.#greediest(bytes, requester),
      );
  }

  #evict(level: Level): void {
    this.#options.metrics.limited('ended', level);
    this.#detach();
    this.#owner.onEvict?.();
  }

  #detach(): void {
    const parent = this.#parent;
    if (!parent) return;
    parent.#change(-this.#used, -this.#optional);
    parent.#children.delete(this);
    this.#parent = undefined;
    parent.#closeIfUnused();
  }

  #closeIfUnused(): void {
    if (this.#used > 0 || this.#children.size > 0) return;
    const { level, onUnused } = this.#options;
    if (!this.#isClosed && level !== 'caller') return;
    this.#detach();
    onUnused?.();
  }
}

/** Bytes of one kind in one account. A holder releases all of them before it closes the account. */
export class ByteHold {
  readonly #account: ByteAccount;
  readonly #kind: ByteKind;
  readonly #isOptional: boolean;
  readonly #metrics: BudgetMetrics;
  #bytes = 0;

  constructor(account: ByteAccount, kind: ByteKind, metrics: BudgetMetrics) {
    this.#account = account;
    this.#kind = kind;
    this.#isOptional = OPTIONAL.has(kind);
    this.#metrics = metrics;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Adds bytes if they fit, and otherwise nothing. Bytes of an optional kind end no account. */
  reserve(bytes: number): boolean {
    const fits = this.#isOptional
      ? this.#account.admitsOptional(bytes)
      : this.#account.admits(bytes);
    if (fits) this.#add(bytes);
    return fits;
  }

  /**
   * Adds bytes that are already held, such as those in a socket's buffer.
   * @returns false if they do not fit; they count all the same
   */
  charge(bytes: number): boolean {
    this.#add(bytes);
    return this.#account.admits(0);
  }

  release(bytes: number): void {
    if (bytes > 0) this.#add(-bytes);
  }

  releaseAll(): void {
    this.release(this.#bytes);
  }

  #add(bytes: number): void {
    this.#bytes += bytes;
    this.#metrics.bytes.set(this.#kind, (this.#metrics.bytes.get(this.#kind) ?? 0) + bytes);
    this.#account.add(bytes, this.#isOptional);
  }
}

/**
 * Returns an upper estimate of a string's memory in bytes: two per UTF-16 code unit. V8 uses one if
 * all of the string's characters are in Latin-1; finding out would take linear time.
 */
export function bytesOf(text: string): number {
  return text.length * 2;
}

export function createBudgetMetrics(metrics: Metrics): BudgetMetrics {
  const bytes = new Map<ByteKind, number>(KINDS.map((kind) => [kind, 0]));
  metrics.gauge('gateway_memory_bytes', 'Bytes held for clients, by kind', ['kind'], (gauge) => {
    for (const [kind, held] of bytes) gauge.set({ kind }, held);
  });
  const limited = metrics.counter(
    'gateway_memory_limited_total',
    'Times that a memory limit ended an account, refused bytes, or dropped replay buffers, by limit',
    ['action', 'limit'],
  );
  return { bytes, limited: (action, limit) => limited.inc({ action, limit }) };
}
