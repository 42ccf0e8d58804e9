import { ClientError } from '../client-error.ts';
import type { ConnectionState, LiveClientOptions } from '../live-client.ts';
import { authorization } from '../tokens/authorization.ts';
import { ConnectionToken } from '../tokens/connection-token.ts';
import type { TokenSource } from '../tokens/token-source.ts';
import type { Link, Loss } from './link.ts';
import { isOffline, watchPage } from './page-events.ts';
import { RetryTimer } from './retry-timer.ts';
import { TransportChoice } from './transport-choice.ts';
import { WebSocketLink } from './websocket-link.ts';

/** Time after which an open connection counts as working, even if it has delivered nothing, in ms. */
const STABLE_MS = 5_000;
/** Time-out for a sign of life after the page was frozen or hidden, in ms. */
const WAKE_PROBE_MS = 3_000;

/** A subscription, which needs a connection until it is removed. */
export interface Connectable {
  /** Starts the operation. */
  start(attempt: Attempt): void;
  /** Stops the operation, which is started again later. */
  stop(): void;
  /** There is no connection. */
  wait(state: ConnectionState, reason: ClientError | null): void;
}

/** A connection, and how it has fared. */
export interface Attempt {
  readonly link: Link;
  /** Time at which it was opened; 0 before. */
  openedAt: number;
  /** Whether any message has arrived. */
  hasDelivered: boolean;
}

export interface ConnectorOptions extends LiveClientOptions {
  readonly webSocketUrl: string;
  readonly fetch: typeof globalThis.fetch;
}

/**
 * Connects subscriptions, and reconnects them after every loss.
 *
 * Each member is in one of two states. `waiting` (without an attempt): the next attempt to connect starts
 * it. `running` (with an attempt): its operation runs on this connection. → `waiting` when the connection
 * is lost, or must be opened anew.
 */
export class Connector {
  readonly #options: ConnectorOptions;
  readonly #token: ConnectionToken;
  readonly #choice: TransportChoice;
  readonly #retry: RetryTimer;
  readonly #members = new Map<Connectable, Attempt | undefined>();
  /** The websocket of all members. */
  #shared: Attempt | undefined;
  #isConnecting = false;
  /** Why the last attempt has failed; null after a connection was opened. */
  #failure: ClientError | null = null;
  #unwatchPage: (() => void) | undefined;

  constructor(options: ConnectorOptions, tokens: TokenSource) {
    this.#options = options;
    this.#token = new ConnectionToken(tokens, options.refreshTokenBefore);
    this.#choice = new TransportChoice(options);
    this.#retry = new RetryTimer(() => void this.#connect(), options.maxRetryDelay);
  }

  add(member: Connectable): void {
    this.#unwatchPage ??= watchPage(
      () => this.#wake(),
      () => this.#probe(),
    );
    this.#members.set(member, undefined);
    this.#announce();
    if (this.#shared) this.#start(member, this.#shared);
    else if (!this.#retry.isWaiting) this.#retry.soon();
  }

  remove(member: Connectable): void {
    if (!this.#members.delete(member) || this.#members.size > 0) return;
    this.#unwatchPage?.();
    this.#unwatchPage = undefined;
    this.#retry.stop();
    this.#token.unwatch();
  }

  /** Call when an operation was sent. */
  opened(attempt: Attempt): void {
    attempt.openedAt ||= Date.now();
    this.#failure = null;
    this.#token.accept();
    this.#choice.opened(this.#options.webSocketUrl, () => this.#restart());
  }

  /** Call when a member's connection is lost. */
  lost(member: Connectable, loss: Loss): void {
    const attempt = this.#members.get(member);
    if (!attempt) return;
    this.#members.set(member, undefined);
    // Connections that are lost together count as one failure.
    if (!this.#retry.isWaiting) this.#count(attempt, loss);
    this.#announce();
  }

  /** Opens new connections for all members at once, with a token that is read now. */
  reconnect(): void {
    this.#token.accept();
    this.#failure = null;
    this.#restart();
  }

  /** Call when all members were removed, and none will be added. */
  close(): void {
    this.#shared?.link.close();
  }

  async #connect(): Promise<void> {
    if (this.#isConnecting) return;
    this.#isConnecting = true;
    try {
      const token = await this.#token.read();
      const sse = this.#choice.isSse ? await this.#loadSse() : undefined;
      for (const [member, attempt] of [...this.#members]) {
        if (attempt || !this.#members.has(member)) continue;
        const { headers } = this.#options;
        const request = {
          ...this.#options,
          headers: { ...headers, ...authorization(token) },
          token,
        };
        this.#start(member, sse ? attemptOf(new sse.SseLink(request)) : this.#share(token));
      }
      if (this.#members.size > 0) this.#token.watch(token, (renewed) => this.#renew(renewed));
    } catch (error) {
      this.#failure = error as ClientError;
      this.#announce();
      this.#retry.fail();
    }
    this.#isConnecting = false;
  }

  /** Loads the code for server-sent events, which many clients never need. */
  async #loadSse(): Promise<typeof import('./sse-link.ts')> {
    try {
      return await import('./sse-link.ts');
    } catch (cause) {
      this.#choice.ended(false);
      throw unreachable({ isRefused: false, detail: 'the code for server-sent events', cause });
    }
  }

  #share(token: string | null): Attempt {
    this.#shared ??= attemptOf(
      new WebSocketLink({
        url: this.#options.webSocketUrl,
        // Server-sent events are chosen where there is no WebSocket.
        webSocketImpl: this.#choice.webSocketImpl as typeof WebSocket,
        token,
        onEnd: () => {
          this.#shared = undefined;
        },
      }),
    );
    return this.#shared;
  }

  #start(member: Connectable, attempt: Attempt): void {
    this.#members.set(member, attempt);
    member.start(attempt);
  }

  #count({ openedAt, hasDelivered, link }: Attempt, loss: Loss): void {
    if (openedAt && (hasDelivered || Date.now() - openedAt > STABLE_MS)) this.#retry.succeed();
    const isFirst = loss.isRefused && !this.#token.refuse(link.token);
    this.#failure = openedAt || isFirst ? null : unreachable(loss);
    this.#choice.ended(openedAt > 0);
    this.#retry.fail(loss.retryAfter);
  }

  /** Tells the waiting members the state. */
  #announce(): void {
    const error = this.#failure;
    const isDown = error || isOffline() ? 'offline' : 'connecting';
    const state = error?.code === 'UNAUTHENTICATED' ? 'refused' : isDown;
    for (const [member, attempt] of [...this.#members]) {
      if (!attempt) member.wait(state, error);
    }
  }

  /** Opens new connections for all members. */
  #restart(): void {
    for (const [member, attempt] of [...this.#members]) {
      if (attempt) member.stop();
      this.#members.set(member, undefined);
    }
    this.close();
    this.#announce();
    if (this.#members.size > 0) this.#retry.now();
  }

  #renew(token: string): void {
    const links = [...this.#members.values()].map((attempt) => attempt?.link);
    if (links.every((link) => !link || link.renew)) this.#shared?.link.renew?.(token);
    else this.#restart();
  }

  #wake(): void {
    this.#probe();
    if (this.#retry.isWaiting) this.#retry.now();
  }

  #probe(): void {
    this.#announce();
    for (const attempt of this.#members.values()) attempt?.link.probe(WAKE_PROBE_MS);
  }
}

const attemptOf = (link: Link): Attempt => ({ link, openedAt: 0, hasDelivered: false });

function unreachable({ isRefused, detail, status, cause }: Loss): ClientError {
  return new ClientError(`The server cannot be reached${detail ? `: ${detail}` : ''}`, {
    code: isRefused ? 'UNAUTHENTICATED' : 'NETWORK_ERROR',
    status,
    retryable: true,
    cause,
  });
}
