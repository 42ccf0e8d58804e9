import { randomUUID } from 'node:crypto';
import { type IncomingMessage, request } from 'node:http';
import { eventually } from '@gudang/testing/eventually';
import { gatewayMetric, insertStocks } from '@gudang/testing/system/bench-system';
import { useSystem } from '@gudang/testing/system/use-system';
import { beforeAll, describe, expect, test } from 'vitest';

/** Number of stocks; their rows have 24 KB each, 15 MB together. */
const STOCKS = 600;
const NAME = 'x'.repeat(255);
const NAMES = Array.from({ length: 90 }, (_, index) => `n${index}: name`).join(' ');
/** Maximum of the queues: the limit above which a catch-up waits, and some executed events. */
const QUEUE_BYTES = 1024 * 1024;
/** A cursor of another epoch, so that the stream begins with a snapshot. */
const LOST = Buffer.from(`1,${randomUUID()},0,0`).toString('base64url');

const system = useSystem();

beforeAll(() => insertStocks(system(), STOCKS, NAME));

interface Message {
  readonly id?: string;
  readonly stock?: string;
  readonly kind?: string;
  readonly phase?: string;
  readonly complete?: boolean;
}

function parseMessage(text: string): Message[] {
  const json = /^data: (.+)$/m.exec(text)?.[1];
  if (json === undefined) return [];
  const { data, extensions, errors } = JSON.parse(json);
  if (errors) throw new Error(json);
  if (data === null) return [extensions.live.snapshot];
  const id = /^id: (.+)$/m.exec(text)?.[1];
  const { kind, stock } = data.stockChanged;
  return [{ kind, stock: stock.id, ...(id === undefined ? {} : { id }) }];
}

/** A client that reads an event stream only while the test lets it, and resumes after a cursor. */
class SlowClient {
  readonly messages: Message[] = [];
  readonly #query: string;
  #response: IncomingMessage | undefined;
  #text = '';

  constructor(fields: string) {
    this.#query = `subscription ($after: String) { stockChanged(after: $after) { kind stock { ${fields} } } }`;
  }

  get rows(): readonly Message[] {
    return this.messages.filter(({ stock }) => stock !== undefined);
  }

  get phases(): readonly string[] {
    return this.messages.flatMap(({ phase }) => phase ?? []);
  }

  /** Connects after the last cursor, and does not read yet. */
  async connect(url = system().gateway.url): Promise<void> {
    const after = this.rows.at(-1)?.id ?? LOST;
    const headers = { accept: 'text/event-stream', 'content-type': 'application/json' };
    this.#text = '';
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const sent = request(`${url}/graphql`, { method: 'POST', headers }, resolve);
      sent.once('error', reject);
      const body = { query: this.#query, variables: { after }, extensions: { live: {} } };
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
    await eventually(() => this.messages.length, done, { until, within: 90_000, every: 5 });
    this.#response?.pause();
  }

  leave(): void {
    this.#response?.destroy();
  }

  #read(chunk: string): void {
    this.#text += chunk;
    const messages = this.#text.split('\n\n');
    this.#text = messages.pop() ?? '';
    for (const message of messages) this.messages.push(...parseMessage(message));
  }
}

const ids = Array.from(
  { length: STOCKS },
  (_, index) => `sku-${String(index + 1).padStart(8, '0')}`,
);

/** Expects one snapshot in which each row was named once, between its markers. */
function expectOneSnapshot({ messages, rows, phases }: SlowClient): void {
  expect(phases).toEqual(['begin', 'end']);
  expect(messages[0]).toEqual({ phase: 'begin', complete: true, reset: true });
  expect(messages[STOCKS + 1]).toEqual({ phase: 'end', complete: true, reset: false });
  expect(rows.map(({ stock }) => stock).sort()).toEqual(ids);
}

describe('a snapshot that is larger than all buffers', () => {
  test.each([
    ['without', `id ${NAMES}`],
    ['with', `id ${NAMES} orders(first: 1) { nodes { id } }`],
  ])('reaches the end for a slow client, %s a field of another subgraph', async (_what, fields) => {
    const client = new SlowClient(fields);
    const pauses = () => gatewayMetric(system(), 'gateway_live_pauses_total');
    const before = await pauses();
    await client.connect();
    await eventually(pauses, (count) => count > before, { until: 'the snapshot is paused' });
    expect(
      await gatewayMetric(system(), 'gateway_memory_bytes\\{kind="queues"[^}]*\\}'),
    ).toBeLessThan(QUEUE_BYTES);
    await client.read('the snapshot ends', () => client.phases.includes('end'));
    client.leave();
    expectOneSnapshot(client);
    expect(await gatewayMetric(system(), 'gateway_live_lagged_total')).toBe(0);
  });

  test('continues after SIGKILL of the subgraph and of the gateway', async () => {
    const client = new SlowClient(`id ${NAMES}`);
    await client.connect();
    await client.read('a part arrives', () => client.rows.length > 100);
    await system().stock.restart();
    await client.read('more arrives', () => client.rows.length > 250);
    await system().gateway.restart();
    await client.connect();
    await client.read('the snapshot ends', () => client.phases.includes('end'));
    client.leave();
    expectOneSnapshot(client);
  });
});
