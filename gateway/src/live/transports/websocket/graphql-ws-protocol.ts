import type { Identity } from '@gudang/auth';
import { CloseCode, MessageType, parseMessage, type SubscribeMessage } from 'graphql-ws';
import type { GatewayContext } from '../../../context.ts';
import { RequestError } from '../../../errors/request-error.ts';
import type { ByteAccount } from '../../../limits/byte-account.ts';
import type { ByteBudget } from '../../../limits/byte-budget.ts';
import type { MessageSocket } from './client-socket.ts';
import { LiveCloseCode } from './close-codes.ts';
import { type OperationsOptions, SocketOperations } from './socket-operations.ts';
import type { SocketSession } from './socket-session.ts';

/**
 * Number of control messages that a client may send at once, and the number per second afterwards.
 * A ping or pong counts as five, because the gateway answers a ping and checks its token; a
 * `complete` counts as one if it names no operation.
 */
const CONTROL_BURST = 1_000;
const CONTROL_PER_S = 100;
const PING_WEIGHT = 5;
/** Close code for a client that exceeds this limit (RFC 6455, 7.4.1). */
const POLICY_VIOLATION = 1008;

/** Maximum length of a string in the payload of a pong, in characters. Tokens are longer. */
const PONG_TEXT_LIMIT = 64;
/** Maximum length of a pong, in characters. */
const PONG_LIMIT = 1_024;

/** Maximum length of an operation id, in characters; graphql-ws uses UUIDs. */
const ID_LIMIT = 256;

interface ConnectionOptions extends OperationsOptions {
  readonly session: SocketSession;
  readonly memory: Pick<ByteBudget, 'connection'>;
  /**
   * Returns the context for the operations of an identity.
   * @param params payload of `connection_init`
   * @throws {RequestError} if a member of the payload cannot be forwarded as a header
   */
  readonly contextOf: (identity: Identity, params: unknown) => GatewayContext;
  /** Time-out for the client's `connection_init`, in milliseconds. */
  readonly initWithinMs: number;
}

/**
 * States of a connection, as in the protocol.
 *
 * - `opened`: the gateway waits for `connection_init`. → `initializing` when this message arrives.
 *   → `closed` with 4408 if it does not arrive in time.
 * - `initializing`: the session checks the token. → `acknowledged` if the token is valid.
 * - `acknowledged`: operations run. → `closed` with 4429 on a second `connection_init`.
 * - `closed`: final. No message is handled, and no operation runs.
 */
type ConnectionState = 'opened' | 'initializing' | 'acknowledged' | 'closed';

/**
 * One connection of graphql-transport-ws. It replaces graphql-ws's server, whose async iterators
 * cost 90–108 µs per delivery. Here, all clients of a stream share each serialized payload instead.
 * https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md
 */
export class GraphqlWsConnection {
  readonly #options: ConnectionOptions;
  readonly #socket: MessageSocket;
  readonly #operations: SocketOperations;
  readonly #initTimeout: NodeJS.Timeout;
  #state: ConnectionState = 'opened';
  #context: GatewayContext | undefined;
  /** Payload of `connection_init`. */
  #params: unknown;
  #account: ByteAccount | undefined;
  #controls = CONTROL_BURST;
  #controlledAt = performance.now();

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#socket = options.socket;
    this.#operations = new SocketOperations(options);
    this.#initTimeout = setTimeout(() => {
      this.#close(CloseCode.ConnectionInitialisationTimeout, 'Connection initialisation timeout');
    }, options.initWithinMs);
  }

  /** Time without a running operation, in milliseconds. */
  get idleMs(): number {
    return this.#operations.idleMs;
  }

  /** Whether the gateway has stopped reading from the client. */
  get isPaused(): boolean {
    return this.#operations.isPaused;
  }

  /** Call when the socket accepts more data again. */
  onReady(): void {
    this.#operations.resume();
  }

  /** Ends all operations. Call when either side has sent its close frame. */
  onClosing(): Promise<void> {
    this.#state = 'closed';
    clearTimeout(this.#initTimeout);
    this.#options.session.end();
    return this.#operations.leaveAll();
  }

  /** Ends everything. Call when the socket has closed, for any reason. */
  async onClosed(): Promise<void> {
    const left = this.onClosing();
    this.#socket.countIn(undefined);
    await left;
    this.#account?.close();
  }

  onMessage(text: string): void {
    if (this.#state === 'closed') return;
    let message: ReturnType<typeof parseMessage>;
    try {
      message = parseMessage(text);
      // A subscribe message is checked later, so that an invalid one ends only its own operation.
      if (message.type !== MessageType.Subscribe) this.#options.admission.assertJsonValue(message);
    } catch {
      this.#refuseMessage();
      return;
    }
    switch (message.type) {
      case MessageType.ConnectionInit:
        this.#initialize(message.payload);
        break;
      case MessageType.Ping:
        if (!this.onControl()) break;
        this.#options.session.renew(message.payload, (token) => this.#renew(token));
        this.#socket.send(pongTo(message.payload));
        break;
      case MessageType.Pong:
        this.onControl();
        break;
      case MessageType.Subscribe:
        this.#subscribe(message, text);
        break;
      case MessageType.Complete:
        if (!this.#operations.leave(message.id)) this.onControl(1);
        break;
      default:
        this.#refuseMessage();
    }
  }

  /**
   * Counts a control message, such as a ping frame of the websocket.
   * @returns false if the client has sent too many, and its websocket is closed
   */
  onControl(weight = PING_WEIGHT): boolean {
    const now = performance.now();
    const gained = ((now - this.#controlledAt) / 1000) * CONTROL_PER_S;
    this.#controlledAt = now;
    this.#controls = Math.min(CONTROL_BURST, this.#controls + gained) - weight;
    if (this.#controls >= 0) return true;
    this.#close(POLICY_VIOLATION, 'Too many control messages');
    return false;
  }

  #initialize(payload: unknown): void {
    if (this.#state !== 'opened') {
      this.#close(CloseCode.TooManyInitialisationRequests, 'Too many initialisation requests');
      return;
    }
    clearTimeout(this.#initTimeout);
    this.#state = 'initializing';
    this.#options.session.begin(payload, (identity) => {
      this.#params = payload;
      if (!this.#useContext(identity)) return;
      this.#state = 'acknowledged';
      this.#account = this.#openAccount(identity);
      this.#socket.send(JSON.stringify({ type: MessageType.ConnectionAck }));
    });
  }

  /** @returns false if the payload cannot be used, and the websocket is closed */
  #useContext(identity: Identity): boolean {
    try {
      this.#context = this.#options.contextOf(identity, this.#params);
      return true;
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      this.#close(CloseCode.BadRequest, error.message);
      return false;
    }
  }

  /** Lets later operations forward a fresh token, if a rule forwards it. */
  #renew(authorization: string): void {
    if (!this.#context?.headers && !this.#context?.client) return;
    this.#params = { ...withoutAuthorization(this.#params), authorization };
    this.#useContext(this.#context.identity);
  }

  #openAccount(identity: Identity): ByteAccount {
    const { address, memory } = this.#options;
    const onEvict = (): void => {
      this.#close(LiveCloseCode.lagged, 'Lagged: memory is needed; reconnect and resume');
      this.#operations.leaveAllNow();
    };
    const account = memory.connection({ identity, address }, { onEvict });
    this.#socket.countIn(account);
    return account;
  }

  #subscribe(message: SubscribeMessage, text: string): void {
    const { id } = message;
    if (!this.#context || !this.#account) this.#close(CloseCode.Unauthorized, 'Unauthorized');
    else if (id.length > ID_LIMIT) this.#refuseMessage();
    else if (this.#operations.has(id)) {
      const reason = `Subscriber for ${id} already exists`;
      this.#close(CloseCode.SubscriberAlreadyExists, reason);
    } else this.#operations.begin(message, text, this.#context, this.#account);
  }

  #refuseMessage(): void {
    this.#close(CloseCode.BadRequest, 'Invalid message received');
  }

  #close(code: number, reason: string): void {
    this.#state = 'closed';
    this.#socket.close(code, reason);
  }
}

function withoutAuthorization(params: unknown): Record<string, unknown> {
  const others = Object.entries(params ?? {}).filter(
    ([name]) => name.toLowerCase() !== 'authorization',
  );
  return Object.fromEntries(others);
}

/**
 * Returns the pong for a ping, with the short values of the ping's payload. Objects and long texts
 * are left out, because they may hold a token.
 */
function pongTo(payload: Record<string, unknown> | undefined): string {
  const type = MessageType.Pong;
  if (!payload) return JSON.stringify({ type });
  const echoed = Object.entries(payload).filter(
    ([name, value]) =>
      name.toLowerCase() !== 'authorization' &&
      (typeof value === 'number' ||
        typeof value === 'boolean' ||
        (typeof value === 'string' && value.length <= PONG_TEXT_LIMIT)),
  );
  const pong = JSON.stringify({ type, payload: Object.fromEntries(echoed) });
  return pong.length > PONG_LIMIT ? JSON.stringify({ type }) : pong;
}
