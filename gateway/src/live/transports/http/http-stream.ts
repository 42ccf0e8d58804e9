import type { ServerResponse } from 'node:http';
import { allowUnread, isLargeAnswer, readInParts } from '@gudang/runtime';
import type { GraphQLFormattedError } from 'graphql';
import type { ByteAccount, ByteHold } from '../../../limits/byte-account.ts';
import type { ClientSink } from '../../fanout/stream-client.ts';
import type { LiveSubscription } from '../../fanout/stream-registry.ts';
import type { DeliveryNote, LivePayload } from '../../upstream/live-payload.ts';
import type { Encoder, HttpFormat } from './http-format.ts';

/**
 * Time in which a client that has lagged must read the rest of its response, and after which a
 * client that reads nothing of the end of its stream is disconnected, in milliseconds.
 */
const CLOSE_WITHIN_MS = 2_000;
/** Number of heartbeats after which a client that has read nothing counts as vanished. */
const UNREAD_HEARTBEATS = 10;

interface HttpStreamOptions {
  readonly response: ServerResponse;
  readonly format: HttpFormat;
  /** The account of the request. */
  readonly account: ByteAccount;
  readonly encode: Encoder;
  readonly headers: Readonly<Record<string, string | string[] | number | undefined>>;
  /** Interval between heartbeats, in milliseconds. The default depends on the format. */
  readonly heartbeatMs?: number;
  /** Called when the response is closed. */
  readonly onClosed: () => void;
}

/** A stream in one HTTP response. */
export class HttpStream implements ClientSink {
  /** The account of the request. */
  readonly account: ByteAccount;
  readonly #response: ServerResponse;
  readonly #format: HttpFormat;
  readonly #encode: Encoder;
  readonly #unread: ByteHold;
  readonly #heartbeats: NodeJS.Timeout;
  /** Ends the permission to read nothing for longer than the answer of a query. */
  readonly #limitUnread: (() => void) | undefined;
  #subscription: LiveSubscription | undefined;
  #hasEnded = false;
  #unreadHeartbeats = 0;

  /** Sends the response's headers. */
  constructor(options: HttpStreamOptions) {
    const { response, format } = options;
    this.#response = response;
    this.#format = format;
    this.#encode = options.encode;
    this.account = options.account;
    this.#limitUnread = response.socket ? allowUnread(response.socket) : undefined;
    this.#unread = options.account.hold('sockets');
    this.#heartbeats = setInterval(() => this.#beat(), options.heartbeatMs ?? format.heartbeatMs);
    response.on('drain', () => {
      this.#unread.releaseAll();
      this.#subscription?.resume();
    });
    response.on('close', () => {
      this.#hasEnded = true;
      clearInterval(this.#heartbeats);
      this.#subscription?.leave();
      this.#unread.releaseAll();
      options.account.close();
      options.onClosed();
    });
    response.writeHead(200, {
      ...options.headers,
      'content-type': format.contentType,
      'cache-control': 'no-cache, no-transform',
      // Without this header, proxies such as nginx would buffer events.
      'x-accel-buffering': 'no',
    });
    response.write(format.head);
  }

  /** Attaches a subscription, which ends when the response is closed. */
  attach(subscription: LiveSubscription): void {
    this.#subscription = subscription;
    if (this.#response.closed) subscription.leave();
  }

  ready(): boolean {
    return !this.#response.writableNeedDrain;
  }

  write(payloads: readonly LivePayload[], notes?: readonly DeliveryNote[]): void {
    if (this.#hasEnded) return;
    if (this.#response.write(this.#encode(payloads, notes))) return;
    if (!this.#unread.charge(this.#response.writableLength - this.#unread.bytes)) this.lagged();
  }

  error(errors: readonly GraphQLFormattedError[]): void {
    this.#endStream(this.#format.errors(errors));
  }

  complete(): void {
    this.#endStream(this.#format.end);
  }

  lagged(): void {
    if (this.#hasEnded) return;
    const closing = setTimeout(() => this.#response.destroy(), CLOSE_WITHIN_MS);
    this.#response.once('close', () => clearTimeout(closing));
    this.interrupt({
      message: 'This client reads too slowly for a stream that must not drop events. Reconnect.',
      extensions: { code: 'LAGGED', retryable: true },
    });
  }

  /** Ends the response because the memory of its queue is needed; the client should reconnect. */
  evict(): void {
    this.#subscription?.leave();
    this.lagged();
  }

  /** Sends the only result of a query or mutation, and ends the response. */
  answer(json: string): void {
    const text = `${this.#format.around(undefined).join(json)}${this.#format.end}`;
    if (isLargeAnswer(text) && this.#prepareEnd()) readInParts(text).pipe(this.#response);
    else this.#end(text);
  }

  /** Ends the response; the client should reconnect. */
  interrupt(error: GraphQLFormattedError): void {
    this.#endStream(this.#format.interrupted(error));
  }

  /** Ends the response; the client should reconnect with another token. */
  expire(error: GraphQLFormattedError): void {
    this.#endStream(this.#format.expired(error));
  }

  #beat(): void {
    this.#unreadHeartbeats = this.#response.writableNeedDrain ? this.#unreadHeartbeats + 1 : 0;
    if (this.#unreadHeartbeats >= UNREAD_HEARTBEATS) this.#response.destroy();
    else if (this.#unreadHeartbeats === 0) this.#response.write(this.#format.heartbeat);
  }

  #endStream(text: string): void {
    this.#end(text);
    if (!this.#response.writableFinished) this.#response.socket?.setTimeout(CLOSE_WITHIN_MS);
  }

  #end(text: string): void {
    if (this.#prepareEnd()) this.#response.end(text);
  }

  /** @returns false if the response has already ended */
  #prepareEnd(): boolean {
    if (this.#hasEnded) return false;
    this.#hasEnded = true;
    clearInterval(this.#heartbeats);
    this.#limitUnread?.();
    return true;
  }
}
