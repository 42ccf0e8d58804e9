import type { Identity } from '@gudang/auth';
import { CloseCode, MessageType, parseMessage, type SubscribeMessage } from 'graphql-ws';
import type { GatewayContext } from '../../../context.ts';
import type { ByteAccount, ByteBudget } from '../../../limits/byte-budget.ts';
import type { MessageSocket } from './client-socket.ts';
import { LiveCloseCode } from './close-codes.ts';
import { type OperationsOptions, SocketOperations } from './socket-operations.ts';
import type { SocketSession } from './socket-session.ts';

/** Maximum length of an operation id, in characters; graphql-ws uses UUIDs. */
const ID_LIMIT = 256;

interface ConnectionOptions extends OperationsOptions {
  readonly session: SocketSession;
  readonly memory: Pick<ByteBudget, 'connection'>;
  /** Returns the context for the operations of an identity. */
  readonly contextOf: (identity: Identity) => GatewayContext;
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
  #account: ByteAccount | undefined;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#socket = options.socket;
    this.#operations = new SocketOperations(options);
    this.#initTimeout = setTimeout(() => {
      this.#socket.close(
        CloseCode.ConnectionInitialisationTimeout,
        'Connection initialisation timeout',
      );
    }, options.initWithinMs);
  }

  /** Time without a running operation, in milliseconds. */
  get idleMs(): number {
    return this.#operations.idleMs;
  }

  /** Call when the socket accepts more data again. */
  onReady(): void {
    this.#operations.resume();
  }

  /** Ends all operations. Call when the socket has closed, for any reason. */
  onClosed(): void {
    this.#state = 'closed';
    clearTimeout(this.#initTimeout);
    this.#options.session.end();
    this.#operations.leaveAll();
    this.#socket.countIn(undefined);
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
        this.#options.session.renew(message.payload);
        this.#socket.send(JSON.stringify(pongTo(message.payload)));
        break;
      case MessageType.Pong:
        break;
      case MessageType.Subscribe:
        this.#subscribe(message);
        break;
      case MessageType.Complete:
        this.#operations.leave(message.id);
        break;
      default:
        this.#refuseMessage();
    }
  }

  #initialize(payload: unknown): void {
    if (this.#state !== 'opened') {
      this.#socket.close(
        CloseCode.TooManyInitialisationRequests,
        'Too many initialisation requests',
      );
      return;
    }
    clearTimeout(this.#initTimeout);
    this.#state = 'initializing';
    this.#options.session.begin(payload, (identity) => {
      this.#state = 'acknowledged';
      this.#context = this.#options.contextOf(identity);
      this.#account = this.#openAccount(identity);
      this.#socket.send(JSON.stringify({ type: MessageType.ConnectionAck }));
    });
  }

  #openAccount(identity: Identity): ByteAccount {
    const { address, memory } = this.#options;
    const onEvict = (): void => {
      this.#socket.close(LiveCloseCode.lagged, 'Lagged: memory is needed; reconnect and resume');
      this.#operations.leaveAll();
    };
    const account = memory.connection({ identity, address }, { onEvict });
    this.#socket.countIn(account);
    return account;
  }

  #subscribe({ id, payload }: SubscribeMessage): void {
    if (!this.#context || !this.#account)
      this.#socket.close(CloseCode.Unauthorized, 'Unauthorized');
    else if (id.length > ID_LIMIT) this.#refuseMessage();
    else if (this.#operations.has(id)) {
      const reason = `Subscriber for ${id} already exists`;
      this.#socket.close(CloseCode.SubscriberAlreadyExists, reason);
    } else this.#operations.begin(id, payload, this.#context, this.#account);
  }

  #refuseMessage(): void {
    this.#socket.close(CloseCode.BadRequest, 'Invalid message received');
  }
}

/** Returns the pong for a ping, with the payload of the ping but without its token. */
function pongTo(payload: Record<string, unknown> | undefined) {
  if (!payload) return { type: MessageType.Pong };
  const { authorization: _authorization, ...echoed } = payload;
  return { type: MessageType.Pong, payload: echoed };
}
