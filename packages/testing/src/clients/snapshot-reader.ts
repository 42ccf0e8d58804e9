import { type IncomingMessage, request } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { eventually } from '../eventually.ts';

/** A row or a change of a stock. */
export interface ReadStock {
  readonly kind: string;
  readonly id: string;
  readonly version: number;
}

/** A marker of a snapshot. */
export interface ReadMarker {
  readonly phase: string;
  readonly complete: boolean;
  readonly reset: boolean;
}

export interface SnapshotReaderOptions {
  /** The gateway's URL, which may change. */
  readonly url: () => string;
  /** More fields of the stocks. */
  readonly fields?: string;
  /** The first cursor. */
  readonly after: string;
  readonly ids?: readonly string[];
}

const RECONNECT_AFTER_MS = 200;
/** Time-out of a read, in milliseconds. A large snapshot takes minutes on a loaded machine. */
const READ_WITHIN_MS = 240_000;

/**
 * A client of `stockChanged` over server-sent events that receives the markers of snapshots, reads only
 * while the test lets it, and resumes after its last event.
 */
export class SnapshotReader {
  readonly messages: (ReadStock | ReadMarker)[] = [];
  readonly #options: SnapshotReaderOptions;
  #cursor: string;
  #response: IncomingMessage | undefined;
  #text = '';

  constructor(options: SnapshotReaderOptions) {
    this.#options = options;
    this.#cursor = options.after;
  }

  get stocks(): readonly ReadStock[] {
    return this.messages.filter((message): message is ReadStock => 'id' in message);
  }

  get markers(): readonly ReadMarker[] {
    return this.messages.filter((message): message is ReadMarker => 'phase' in message);
  }

  /** Whether the end of a snapshot has arrived. */
  get hasEnd(): boolean {
    return this.markers.some(({ phase }) => phase === 'end');
  }

  /** Connects after the last event, and does not read yet. */
  async connect(): Promise<void> {
    const { url, fields = '', ids } = this.#options;
    const headers = { accept: 'text/event-stream', 'content-type': 'application/json' };
    this.#text = '';
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const sent = request(`${url()}/graphql`, { method: 'POST', headers, agent: false }, resolve);
      sent.once('error', reject);
      const body = {
        query: `subscription ($ids: [ID!], $after: String) {
          stockChanged(ids: $ids, after: $after) { kind stock { id version ${fields} } } }`,
        variables: { ids, after: this.#cursor },
        extensions: { live: {} },
      };
      sent.end(JSON.stringify(body));
    });
    response.on('error', () => {});
    response.setEncoding('utf8').on('data', (chunk: string) => this.#read(chunk));
    response.pause();
    this.#response = response;
  }

  /** Reads until the condition holds. */
  async read(until: string, done: () => boolean): Promise<void> {
    this.#response?.resume();
    await eventually(() => this.messages.length, done, { until, within: READ_WITHIN_MS, every: 5 });
    this.#response?.pause();
  }

  /** Reads until the end of a snapshot, and reconnects when the connection is lost. */
  async readToEnd(bytesPerSecond: number): Promise<void> {
    while (!this.hasEnd) {
      try {
        await this.connect();
        await this.#readSlowly(bytesPerSecond);
      } catch {
        await pause(RECONNECT_AFTER_MS);
      }
    }
    this.leave();
  }

  leave(): void {
    this.#response?.destroy();
  }

  async #readSlowly(bytesPerSecond: number): Promise<void> {
    const response = this.#response;
    if (!response) return;
    const lost = new Promise<void>((resolve) => {
      response.once('close', resolve);
    });
    response.on('data', (chunk: string) => {
      response.pause();
      setTimeout(() => response.resume(), (chunk.length / bytesPerSecond) * 1000);
      if (this.hasEnd) response.destroy();
    });
    response.resume();
    await lost;
  }

  #read(chunk: string): void {
    this.#text += chunk;
    const events = this.#text.split('\n\n');
    this.#text = events.pop() ?? '';
    for (const event of events) this.#take(event);
  }

  #take(event: string): void {
    const json = /^data: (.+)$/m.exec(event)?.[1];
    if (json === undefined) return;
    const { data, errors, extensions } = JSON.parse(json);
    if (errors) throw new Error(json);
    if (data === null) {
      const { phase, complete, reset } = extensions.live.snapshot;
      this.messages.push({ phase, complete, reset });
      return;
    }
    const { kind, stock } = data.stockChanged;
    this.messages.push({ kind, id: stock.id, version: stock.version });
    this.#cursor = /^id: (.+)$/m.exec(event)?.[1] ?? this.#cursor;
  }
}
