import type { ClientRequestArgs } from 'node:http';
import type { Logger } from '@gudang/runtime';
import type { FormattedExecutionResult } from 'graphql';
import { CloseCode, GRAPHQL_TRANSPORT_WS_PROTOCOL, MessageType } from 'graphql-ws';
import { type ClientOptions, type RawData, WebSocket } from 'ws';
import type { Headers } from '../../headers/forwarded-headers.ts';
import type { LinkedStream, StreamCarrier } from './linked-stream.ts';
import { parseMarker } from './snapshot-marker.ts';
import { ReadTurns } from './turns.ts';
import { errorsIn, internalError, malformedMessage, messageTooLarge } from './upstream-errors.ts';

const OPTIONS: ClientOptions & ClientRequestArgs & { closeTimeout: number } = {
  perMessageDeflate: false,
  handshakeTimeout: 5_000,
  // An event has a few kilobytes. This limit is higher than the limit for clients, because
  // subgraphs are trusted more.
  maxPayload: 16 * 1024 * 1024,
  closeTimeout: 2_000,
};

/**
 * Size above which a message is first sent on a connection of its own if the subgraph has not stated
 * its limit, in bytes. A subgraph that refuses a message closes the connection for all streams.
 */
const LARGE_MESSAGE = 32 * 1024;

const PING_EVERY_MS = 10_000;
const PONG_WITHIN_MS = 5_000;
const ACK_WITHIN_MS = 5_000;
/** Time after which a new connection counts as restored, in milliseconds. */
const SETTLED_MS = 1_000;

/** Close code of a connection whose subgraph does not answer pings; graphql-ws uses it as well. */
export const TERMINATED = 4499;

/** Close code of a connection on which the subgraph sent an invalid frame (RFC 6455, 7.4.1). */
const PROTOCOL_ERROR = 1002;

/** A stream that was subscribed on a connection when the connection ended. */
export interface SentStream {
  readonly stream: LinkedStream;
  /** Time of the subscription, by `performance.now()`. */
  readonly sentAt: number;
}

/** How a connection ended, and what it carried. */
export interface ConnectionEnd {
  readonly code: number;
  readonly reason: string;
  /** The last state of the connection. */
  readonly state: 'connecting' | 'unsettled' | 'settled';
  readonly sent: readonly SentStream[];
}

export interface ConnectionEvents {
  /** Called when the subgraph has acknowledged the connection. */
  readonly onAcknowledged: () => void;
  readonly onSettled: () => void;
  /** Called when the last stream has left. */
  readonly onUnused: () => void;
  readonly onPong?: () => void;
  /**
   * Called instead of a subscription whose message is large for a subgraph that has not stated its
   * limit, if the stream has not been tried on a connection of its own.
   */
  readonly onLarge?: (stream: LinkedStream) => void;
  /** Called once, unless this process closed the connection with `close` or `terminate`. */
  readonly onEnded: (end: ConnectionEnd) => void;
}

interface ConnectionOptions extends ConnectionEvents {
  /** The subgraph's name. */
  readonly subgraph: string;
  readonly wsUrl: string;
  /** Headers of the request that opens the connection. */
  readonly headers?: Headers | undefined;
  /** The payload of `connection_init`. */
  readonly params: Readonly<Record<string, unknown>>;
  readonly log: Logger;
}

interface Carried extends SentStream {
  isHeard: boolean;
}

/** Turns in which the messages of all connections are handled. */
const READING = new ReadTurns();

/**
 * States of a connection.
 *
 * - `connecting`: → `unsettled` when the subgraph sends `connection_ack`.
 * - `unsettled`: the connection has been open for less than 1 s and has carried no event.
 *   → `settled` after 1 s or at the first event.
 * - `settled`: the connection counts as restored.
 * - `ended`: final. Messages that still arrive are dropped, because they would be applied to the
 *   next connection.
 */
type ConnectionState = ConnectionEnd['state'] | 'ended';

/**
 * One graphql-transport-ws connection to a subgraph, which carries several streams. It replaces the
 * client of graphql-ws, which closes a connection and resubscribes all of its operations when one
 * message is malformed. Here, a malformed message ends only the operation that it names.
 * https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md
 */
export class UpstreamConnection implements StreamCarrier {
  readonly #options: ConnectionOptions;
  readonly #socket: WebSocket;
  readonly #carried = new Map<string, Carried>();
  #state: ConnectionState = 'connecting';
  #lastId = 0;
  #reportsPositions = false;
  /** Maximum size of a message to the subgraph, in bytes, if the subgraph has stated it. */
  #messageBytes = Number.POSITIVE_INFINITY;
  /** Time-out of the acknowledgement, then the time until the connection is settled. */
  #phase: NodeJS.Timeout | undefined;
  #pings: NodeJS.Timeout | undefined;
  #pong: NodeJS.Timeout | undefined;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    const { wsUrl, headers } = options;
    this.#socket = new WebSocket(wsUrl, GRAPHQL_TRANSPORT_WS_PROTOCOL, {
      ...OPTIONS,
      ...(headers ? { headers } : {}),
    });
    this.#socket.on('open', () => this.#opened());
    this.#socket.on('message', (data, isBinary) =>
      READING.run(this.#socket, () => this.#receive(data, isBinary)),
    );
    this.#socket.on('error', (error: NodeJS.ErrnoException) => {
      const { subgraph, log } = options;
      log.debug({ subgraph, err: error }, 'a live connection to a subgraph failed');
      // The event `close` follows, and reports each error of ws's receiver as 1006.
      if (error.code?.startsWith('WS_ERR_')) this.#end(PROTOCOL_ERROR, error.message);
    });
    this.#socket.on('close', (code, reason) => this.#end(code, String(reason)));
  }

  get isAcknowledged(): boolean {
    return this.#state === 'unsettled' || this.#state === 'settled';
  }

  get isSettled(): boolean {
    return this.#state === 'settled';
  }

  get #statesLimit(): boolean {
    return this.#messageBytes < Number.POSITIVE_INFINITY;
  }

  /**
   * Subscribes a stream. Call only while the connection is acknowledged. A message above the
   * subgraph's limit ends the stream instead, because the subgraph would close the connection.
   * @returns the operation's id; undefined if the stream was not subscribed
   */
  subscribe(stream: LinkedStream): string | undefined {
    this.#lastId += 1;
    const id = String(this.#lastId);
    const text = this.#subscribeMessage(id, stream);
    if (text === undefined) return undefined;
    const size = Buffer.byteLength(text);
    if (size > this.#messageBytes) {
      stream.fail([messageTooLarge(this.#options.subgraph, size, this.#messageBytes)]);
      return undefined;
    }
    const { onLarge } = this.#options;
    if (onLarge && stream.trials === 0 && size > LARGE_MESSAGE && !this.#statesLimit) {
      onLarge(stream);
      return undefined;
    }
    this.#carried.set(id, { stream, sentAt: performance.now(), isHeard: false });
    this.#socket.send(text);
    return id;
  }

  #subscribeMessage(id: string, stream: LinkedStream): string | undefined {
    try {
      return JSON.stringify({ id, type: MessageType.Subscribe, payload: stream.payload() });
    } catch (error) {
      const { subgraph, log } = this.#options;
      log.error({ subgraph, err: error }, 'subscribing to a subgraph failed; the stream ends');
      stream.fail([internalError()]);
      return undefined;
    }
  }

  unsubscribe(id: string): void {
    if (!this.#carried.has(id)) return;
    this.#send({ id, type: MessageType.Complete });
    this.#remove(id);
  }

  /** Sends a ping; the subgraph has read every earlier message when it sends the pong. */
  ping(): void {
    this.#send({ type: MessageType.Ping });
    this.#pong ??= setTimeout(() => {
      this.#end(TERMINATED, 'Terminated');
      this.#socket.terminate();
    }, PONG_WITHIN_MS);
  }

  /** Closes an unused connection. */
  close(): void {
    this.#finish();
    this.#socket.close(1000, 'Normal Closure');
  }

  terminate(): void {
    this.#finish();
    this.#socket.terminate();
  }

  #opened(): void {
    if (this.#state === 'ended') return;
    this.#send({ type: MessageType.ConnectionInit, payload: this.#options.params });
    this.#pings = setInterval(() => this.ping(), PING_EVERY_MS);
    this.#phase = setTimeout(
      () =>
        this.#break(
          CloseCode.ConnectionAcknowledgementTimeout,
          'Connection acknowledgement timeout',
        ),
      ACK_WITHIN_MS,
    );
  }

  #receive(data: RawData, isBinary: boolean): void {
    if (this.#state === 'ended') return;
    const text = String(data);
    const message = isBinary ? undefined : readMessage(text);
    if (!message) {
      this.#break(CloseCode.BadResponse, 'A message of the subgraph is not a JSON object');
      return;
    }
    const id = typeof message['id'] === 'string' ? message['id'] : '';
    const carried = this.#carried.get(id);
    try {
      if (carried) this.#handle(id, carried, message, text.length);
      else this.#control(message);
    } catch (error) {
      const { subgraph, log } = this.#options;
      log.error({ subgraph, err: error }, 'handling a message of a subgraph failed');
      if (carried) this.#refuse(id, carried);
    }
  }

  /** Handles a message of an operation. */
  #handle(
    id: string,
    carried: Carried,
    { type, payload }: Record<string, unknown>,
    bytes: number,
  ): void {
    if (type === MessageType.Next && isObject(payload)) {
      if (this.#state === 'unsettled') this.#settle();
      carried.stream.sink.next(payload as FormattedExecutionResult, this.#reportsPositions, bytes);
      if (!carried.isHeard) this.#heard(carried);
      return;
    }
    if (type !== MessageType.Complete && type !== MessageType.Error) {
      this.#refuse(id, carried);
      return;
    }
    this.#remove(id);
    if (type === MessageType.Error) carried.stream.fail(errorsIn(payload));
    else {
      carried.stream.close();
      carried.stream.sink.complete();
    }
  }

  /** Ends an operation whose message cannot be handled. */
  #refuse(id: string, { stream }: Carried): void {
    // The sink of the stream may be what fails.
    try {
      stream.fail([malformedMessage(this.#options.subgraph)]);
    } catch (error) {
      this.#options.log.error({ err: error }, 'ending a stream failed');
    }
    this.unsubscribe(id);
  }

  #control({ type, payload }: Record<string, unknown>): void {
    if (type === MessageType.Ping) {
      if (isObject(payload)) {
        this.#reportPositions(payload['cursors']);
        this.#announceSnapshots(payload['snapshots']);
      }
      // Without the ping's payload, which may be larger than the subgraph's limit of a message.
      this.#send({ type: MessageType.Pong });
    } else if (type === MessageType.Pong) {
      clearTimeout(this.#pong);
      this.#pong = undefined;
      this.#options.onPong?.();
    } else if (this.#state === 'connecting') {
      if (type === MessageType.ConnectionAck) this.#acknowledged(payload);
      else this.#break(CloseCode.BadResponse, 'The first message is not connection_ack');
    }
    // Messages of operations that have ended are dropped, as are messages of unknown types.
  }

  #acknowledged(payload: unknown): void {
    const stated = isObject(payload) && isObject(payload['gudang']) ? payload['gudang'] : {};
    const messageBytes = stated['messageBytes'];
    if (typeof messageBytes === 'number' && messageBytes > 0) this.#messageBytes = messageBytes;
    clearTimeout(this.#phase);
    this.#state = 'unsettled';
    this.#phase = setTimeout(() => this.#settle(), SETTLED_MS);
    this.#options.onAcknowledged();
  }

  #settle(): void {
    clearTimeout(this.#phase);
    this.#state = 'settled';
    for (const { stream } of this.#carried.values()) stream.connected();
    this.#options.onSettled();
  }

  #heard(carried: Carried): void {
    carried.isHeard = true;
    carried.stream.heard();
  }

  #reportPositions(cursors: unknown): void {
    if (!isObject(cursors)) return;
    this.#reportsPositions = true;
    for (const [id, cursor] of Object.entries(cursors)) {
      if (typeof cursor !== 'string' && cursor !== null) continue;
      const carried = this.#carried.get(id);
      if (!carried) continue;
      carried.stream.sink.position(cursor);
      if (!carried.isHeard) this.#heard(carried);
    }
  }

  #announceSnapshots(snapshots: unknown): void {
    if (!isObject(snapshots)) return;
    for (const [id, snapshot] of Object.entries(snapshots)) {
      const carried = this.#carried.get(id);
      const marker = parseMarker(snapshot);
      if (!carried || !marker) continue;
      carried.stream.sink.snapshot(marker);
      if (!carried.isHeard) this.#heard(carried);
    }
  }

  #send(message: object): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  #remove(id: string): void {
    if (this.#carried.delete(id) && this.#carried.size === 0) this.#options.onUnused();
  }

  /** Closes a connection whose subgraph does not follow the protocol. */
  #break(code: number, reason: string): void {
    this.#end(code, reason);
    this.#socket.close(code, reason);
  }

  #end(code: number, reason: string): void {
    const state = this.#state;
    if (state === 'ended') return;
    const sent = [...this.#carried.values()];
    this.#finish();
    this.#options.onEnded({ code, reason, state, sent });
  }

  #finish(): void {
    this.#state = 'ended';
    this.#carried.clear();
    clearTimeout(this.#phase);
    clearInterval(this.#pings);
    clearTimeout(this.#pong);
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Returns a subgraph's message; undefined if the text is not a JSON object. */
function readMessage(text: string): Record<string, unknown> | undefined {
  try {
    const message: unknown = JSON.parse(text);
    return isObject(message) ? message : undefined;
  } catch {
    return undefined;
  }
}
