import type { GraphQLFormattedError } from 'graphql';
import { MessageType } from 'graphql-ws';
import type { ClientSink } from '../../fanout/stream-client.ts';
import type { LivePayload } from '../../upstream/live-payload.ts';
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

/** One subscription on a websocket. */
export class WebsocketSink implements ClientSink {
  readonly #head: Buffer;
  readonly #options: SinkOptions;

  constructor(options: SinkOptions) {
    this.#head = nextHead(options.id);
    this.#options = options;
  }

  ready(): boolean {
    return this.#options.socket.ready();
  }

  write(payloads: readonly LivePayload[], conflated?: readonly number[]): void {
    const { socket, frame } = this.#options;
    socket.writeFrames(frame(this.#head, payloads, conflated));
  }

  error(errors: readonly GraphQLFormattedError[]): void {
    this.#options.end(MessageType.Error, errors);
  }

  complete(): void {
    this.#options.end(MessageType.Complete);
  }

  lagged(): void {
    this.#options.socket.close(LiveCloseCode.lagged, 'Lagged: read faster, or resume');
  }
}
