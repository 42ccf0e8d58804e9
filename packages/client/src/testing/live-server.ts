import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';

/** A message of the stream: an event, or a marker of a snapshot. */
export interface StreamMessage {
  readonly data: unknown;
  readonly errors?: readonly unknown[];
  readonly extensions?: { readonly live?: Readonly<Record<string, unknown>> };
}

interface Operation {
  readonly send: (message: StreamMessage) => void;
  readonly end: (errors?: readonly unknown[]) => void;
}

/** The payload of a `subscribe` message, or the body of a request. */
export interface SubscribePayload {
  readonly query: string;
  readonly variables?: Record<string, unknown>;
  readonly extensions?: { readonly live?: { readonly after?: string; readonly positions?: true } };
}

/**
 * A server with one stream of events, which have the cursors 1, 2, …, over graphql-transport-ws and
 * server-sent events. Its connections can be cut at any time.
 */
export class LiveServer {
  readonly log: StreamMessage[] = [];
  readonly subscribed: SubscribePayload[] = [];
  /** The tokens of connections, requests and pings. */
  readonly tokens: string[] = [];
  readonly #operations = new Set<Operation>();
  readonly #sockets = new Set<Socket>();
  readonly #websockets = new Set<WebSocket>();
  readonly #server: Server;
  readonly #upgrades = new WebSocketServer({ noServer: true });
  /** Whether handshakes of websockets fail. */
  refusesWebSockets = false;
  /** Whether nothing is sent or answered any more, while connections stay open. */
  isSilent = false;
  accepts: (token: string) => boolean = () => true;
  /** Answers a subscription with errors instead of a stream. */
  reject: (payload: SubscribePayload) => readonly unknown[] | undefined = () => undefined;
  /** Answers a query. */
  answer: (body: SubscribePayload, token: string) => { status?: number; json: unknown } = () => ({
    json: { data: {} },
  });
  /** Replaces the messages that a subscription receives at its start. */
  onStart: ((after: string) => readonly StreamMessage[]) | undefined;

  private constructor() {
    this.#server = createServer((request, response) => void this.#respond(request, response));
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    this.#server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
  }

  static async start(): Promise<LiveServer> {
    const server = new LiveServer();
    await server.listen(0);
    return server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/graphql`;
  }

  /** Number of operations that run. */
  get running(): number {
    return this.#operations.size;
  }

  get connections(): number {
    return this.#sockets.size;
  }

  get websockets(): number {
    return this.#websockets.size;
  }

  async listen(port: number): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(port, '127.0.0.1', resolve));
  }

  /** Appends an event, and sends it. */
  publish(data: unknown, live: Readonly<Record<string, unknown>> = {}): void {
    const cursor = String(this.log.length + 1);
    const message = { data, extensions: { live: { cursor, ...live } } };
    this.log.push(message);
    this.send(message);
  }

  /** Sends a message that is not part of the log. */
  send(message: StreamMessage): void {
    if (!this.isSilent) for (const { send } of [...this.#operations]) send(message);
  }

  /** Ends all operations. */
  end(errors?: readonly unknown[]): void {
    for (const { end } of [...this.#operations]) end(errors);
  }

  /** Closes all websockets with a code. */
  closeWith(code: number, reason = ''): void {
    for (const socket of this.#websockets) socket.close(code, reason);
  }

  /** Destroys all connections. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Destroys all connections, and accepts no others. @returns the port, for `listen` */
  async stop(): Promise<number> {
    const { port } = this;
    const stopped = new Promise((resolve) => this.#server.close(resolve));
    this.cut();
    await stopped;
    return port;
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    if (this.refusesWebSockets) {
      socket.destroy();
      return;
    }
    this.#upgrades.handleUpgrade(request, socket, head, (websocket) => {
      const operations = new Map<string, Operation>();
      this.#websockets.add(websocket);
      websocket.on('message', (data) => this.#receive(websocket, operations, String(data)));
      websocket.on('error', () => {});
      websocket.on('close', () => {
        this.#websockets.delete(websocket);
        for (const operation of operations.values()) this.#operations.delete(operation);
      });
    });
  }

  #receive(websocket: WebSocket, operations: Map<string, Operation>, text: string): void {
    const { id, type, payload } = JSON.parse(text);
    if (this.isSilent) return;
    const say = (message: unknown): void => websocket.send(JSON.stringify(message));
    const token = payload?.authorization?.replace('Bearer ', '');
    if (token !== undefined) this.tokens.push(token);
    if (type === 'connection_init') {
      if (token !== undefined && !this.accepts(token)) websocket.close(4403, 'Forbidden');
      else say({ type: 'connection_ack' });
    } else if (type === 'ping') say({ type: 'pong' });
    else if (type === 'complete') this.#operations.delete(operations.get(id) as Operation);
    else if (type === 'subscribe') {
      const operation: Operation = {
        send: (message) => say({ id, type: 'next', payload: message }),
        end: (errors) => {
          this.#operations.delete(operation);
          say(errors ? { id, type: 'error', payload: errors } : { id, type: 'complete' });
        },
      };
      operations.set(id, operation);
      this.#begin(payload, operation);
    }
  }

  async #respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = JSON.parse(Buffer.concat(chunks).toString());
    const token = request.headers.authorization?.replace('Bearer ', '') ?? '';
    this.tokens.push(token);
    if (request.headers.accept !== 'text/event-stream') {
      const { status = 200, json } = this.answer(body, token);
      response.writeHead(status, {
        'content-type': 'application/json',
        connection: 'close',
      });
      response.end(typeof json === 'string' ? json : JSON.stringify(json));
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(':\n\n');
    const next = (message: unknown): string => `event: next\ndata: ${JSON.stringify(message)}\n\n`;
    const operation: Operation = {
      send: (message) => response.write(next(message)),
      end: (errors) => {
        this.#operations.delete(operation);
        response.end(`${errors ? next({ errors }) : ''}event: complete\ndata:\n\n`);
      },
    };
    response.on('close', () => this.#operations.delete(operation));
    if (token !== '' && !this.accepts(token)) {
      operation.end([{ message: 'expired', extensions: { code: 'UNAUTHENTICATED' } }]);
    } else this.#begin(body, operation);
  }

  #begin(payload: SubscribePayload, operation: Operation): void {
    this.subscribed.push(payload);
    const errors = this.reject(payload);
    if (errors) {
      operation.end(errors);
      return;
    }
    this.#operations.add(operation);
    const { after = String(this.log.length), positions } = payload.extensions?.live ?? {};
    const live = { cursor: String(this.log.length) };
    const messages = this.onStart?.(after) ?? [
      ...this.log.slice(Number(after)),
      ...(positions ? [{ data: null, extensions: { live } }] : []),
    ];
    for (const message of messages) operation.send(message);
  }
}
