import type { GraphQLFormattedError } from 'graphql';
import { MessageType } from 'graphql-ws';
import type { ClientSink } from '../../fanout/stream-client.ts';
import type { DeliveryNote, LivePayload } from '../../upstream/live-payload.ts';
import type { MessageSocket } from './client-socket.ts';
import { LiveCloseCode } from './close-codes.ts';
import { type Framer, nextHead } from './websocket-frames.ts';

interface SinkOptions {
  /** The operation's id, chosen by the client. */
  readonly id: string;
  readonly socket: MessageSocket;
  readonly frame: Framer;
  /** Ends the operation with a message of this type. */
  readonly end: (type: MessageType, payload?: unknown) => void;
}

/**
 * One subscription on a websocket. Copies its options, because each delivery reads them for every
 * client, and each further object is usually not in the processor's cache.
 */
export class WebsocketSink implements ClientSink {
  readonly #head: Buffer;
  readonly #socket: MessageSocket;
  readonly #frame: Framer;
  readonly #end: SinkOptions['end'];

  constructor({ id, socket, frame, end }: SinkOptions) {
    this.#head = nextHead(id);
    this.#socket = socket;
    this.#frame = frame;
    this.#end = end;
  }

  ready(): boolean {
    return this.#socket.ready();
  }

  write(payloads: readonly LivePayload[], notes?: readonly DeliveryNote[]): void {
    this.#socket.writeFrames(this.#frame(this.#head, payloads, notes));
  }

  error(errors: readonly GraphQLFormattedError[]): void {
    this.#end(MessageType.Error, errors);
  }

  complete(): void {
    this.#end(MessageType.Complete);
  }

  lagged(): void {
    this.#socket.close(LiveCloseCode.lagged, 'Lagged: read faster, or resume');
  }
}
