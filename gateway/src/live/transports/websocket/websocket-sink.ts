import type { GraphQLFormattedError } from 'graphql';
import { MessageType } from 'graphql-ws';
import type { Outlet } from '../../fanout/stream-client.ts';
import type { LivePayload } from '../../upstream/live-payload.ts';
import { LiveCloseCode } from './close-codes.ts';
import type { MessageSocket } from './message-socket.ts';
import { type Framer, nextHead } from './websocket-frames.ts';

interface OutletOptions {
  /** The operation's, as its client named it. */
  readonly id: string;
  readonly socket: MessageSocket;
  readonly frame: Framer;
  /** Tells the client that the operation is over. */
  readonly end: (type: MessageType, payload?: unknown) => void;
}

/** One subscription on a websocket; a class, because each delivery to each client comes through it. */
class WebsocketOutlet implements Outlet {
  readonly #head: Buffer;
  readonly #socket: MessageSocket;
  readonly #frame: Framer;
  readonly #end: OutletOptions['end'];

  constructor({ id, socket, frame, end }: OutletOptions) {
    this.#head = nextHead(id);
    this.#socket = socket;
    this.#frame = frame;
    this.#end = end;
  }

  ready(): boolean {
    return this.#socket.ready();
  }

  write(payloads: readonly LivePayload[], conflated?: readonly number[]): void {
    this.#socket.writeFrames(this.#frame(this.#head, payloads, conflated));
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

export function createWebsocketOutlet(options: OutletOptions): Outlet {
  return new WebsocketOutlet(options);
}
