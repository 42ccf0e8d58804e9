import { ClientError } from '../client-error.ts';
import type { ConnectionState, LiveClientOptions } from '../live-client.ts';
import { authorization } from '../tokens/authorization.ts';
import type { TokenSource } from '../tokens/token-source.ts';
import type { Link, Loss } from './link.ts';
import { watchPage } from './page-events.ts';
import { RetryTimer } from './retry-timer.ts';
import { TransportChoice } from './transport-choice.ts';
import { WebSocketLink } from './websocket-link.ts';

/** Time after which an open connection counts as working, even if it has delivered nothing, in ms. */
const STABLE_MS = 5_000;
/** Time-out for a sign of life after the page was hidden or the network has changed, in ms. */
const PROBE_MS = 3_000;

/** The code for server-sent events, which is loaded when it is needed. */
type SseModule = typeof import('./sse-link.ts');

/** A subscription, which needs a connection until it is removed. */
export interface Connectable {
  /** Starts the operation. */
  start(attempt: Attempt): void;
  /** Stops the operation, which is started again later. */
  stop(): void;
  show(state: ConnectionState, reason: ClientError | null): void;
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
  readonly tokens: TokenSource;
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
  readonly #tokens: TokenSource;
  readonly #choice: TransportChoice;
  readonly #retry: RetryTimer;
  readonly #members = new Map<Connectable, Attempt | undefined>();
  /** The websocket of all members. */
  #shared: Attempt | undefined;
  #sse: SseModule | undefined;
  #isConnecting = false;
  /** Whether the token that is being read may be one from before `reconnect`. */
  #isTokenOld = false;
  /** Why the last attempt has failed; null after a connection was opened. */
  #failure: ClientError | null = null;
  #unwatchPage: (() => void) | undefined;

  constructor(options: ConnectorOptions) {
    this.#options = options;
    this.#tokens = options.tokens;
    this.#choice = new TransportChoice(options);
    this.#retry = new RetryTimer(() => void this.#connect(), options.maxRetryDelay);
  }

  add(member: Connectable): void {
    this.#unwatchPage ??= watchPage(() => this.#check());
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
    this.#tokens.unwatch();
  }

  /** Call when an operation was sent. */
  opened(attempt: Attempt): void {
    attempt.openedAt ||= Date.now();
    this.#failure = null;
    this.#tokens.accept();
    this.#choice.opened(this.#sse?.tryWebSocket, () => this.#restart());
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
    this.#isTokenOld = true;
    this.#tokens.accept();
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
      let token: string | null;
      do {
        this.#isTokenOld = false;
        token = await this.#tokens.readForConnection();
      } while (this.#isTokenOld);
      const { isSse } = this.#choice;
      if (isSse) this.#sse ??= await import('./sse-link.ts');
      for (const [member, attempt] of [...this.#members]) {
        if (attempt || !this.#members.has(member)) continue;
        this.#start(
          member,
          isSse && this.#sse ? this.#respond(this.#sse, token) : this.#share(token),
        );
      }
      if (this.#members.size > 0) this.#tokens.watch(token, (renewed) => this.#renew(renewed));
    } catch (cause) {
      const isKnown = cause instanceof ClientError;
      this.#failure = isKnown ? cause : unreachable({ isRefused: false, cause });
      // Otherwise, the code for server-sent events cannot be loaded.
      this.#choice.ended(isKnown);
      this.#announce();
      this.#retry.fail();
    }
    this.#isConnecting = false;
  }

  #respond({ SseLink }: SseModule, token: string | null): Attempt {
    const headers = { ...this.#options.headers, ...authorization(token) };
    return attemptOf(new SseLink({ ...this.#options, headers, token }));
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
    if (hasDelivered || (openedAt && Date.now() - openedAt > STABLE_MS)) this.#retry.succeed();
    const isFirst = loss.isRefused && !this.#tokens.refuse(link.token);
    this.#failure = openedAt || isFirst ? null : unreachable(loss);
    this.#choice.ended(openedAt > 0 || loss.isRefused);
    this.#retry.fail(loss.retryAfter);
  }

  /** Reports the state to the waiting members. */
  #announce(): void {
    const error = this.#failure;
    const isOffline = error || globalThis.navigator?.onLine === false;
    let state: ConnectionState = isOffline ? 'offline' : 'connecting';
    if (error?.code === 'UNAUTHENTICATED') state = 'refused';
    for (const [member, attempt] of [...this.#members]) {
      if (!attempt) member.show(state, error);
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
    // A response of server-sent events keeps its token, so another one is requested.
    if (this.#shared) this.#shared.link.renew?.(token);
    else this.#restart();
  }

  /** Connects at once, and checks whether open connections still work. */
  #check(): void {
    if (this.#retry.isWaiting) this.#retry.now();
    for (const attempt of this.#members.values()) attempt?.link.probe(PROBE_MS);
  }
}

const attemptOf = (link: Link): Attempt => ({ link, openedAt: 0, hasDelivered: false });

function unreachable({ isRefused, detail, ...rest }: Loss): ClientError {
  const code = isRefused ? 'UNAUTHENTICATED' : 'NETWORK_ERROR';
  const message = `The server is unreachable${detail ? `: ${detail}` : ''}`;
  return new ClientError(message, { code, retryable: true, ...rest });
}
