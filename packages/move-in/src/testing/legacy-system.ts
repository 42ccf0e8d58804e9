import { randomBytes, randomUUID } from 'node:crypto';
import { type Kafka, Partitioners } from 'kafkajs';
import pg from 'pg';

/** A system with the tables and records of the legacy Go services. */
export interface LegacySystem {
  readonly orderDb: string;
  readonly stockDb: string;
  /** The topic of the last `reset`. */
  readonly topic: string;
  readonly group: string;
  /** Empties the tables, and uses a topic, which must be empty. */
  readonly reset: (topic: string) => Promise<void>;
  readonly addStock: (id: string, quantity: number, name?: string | null) => Promise<void>;
  readonly setQuantity: (id: string, quantity: number) => Promise<void>;
  /** Stores an order as the legacy order service does. @returns its id */
  readonly addOrder: (productId: string, quantity: number, id?: string) => Promise<string>;
  /** Sends records as the legacy order service does, to partition 0. */
  readonly send: (
    ...orders: readonly { id: string; productId: string; quantity: number }[]
  ) => Promise<void>;
  readonly sendValue: (value: string) => Promise<void>;
  /** Commits an offset for the legacy stock service. */
  readonly commit: (offset: number) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** The creation time that the records contain, with Go's nanoseconds. */
export const RECORD_TIME = '2024-05-01T10:00:00.123456789+07:00';

const TABLES = {
  order: 'CREATE TABLE orders (id text PRIMARY KEY, product_id text, quantity bigint)',
  stock: 'CREATE TABLE stocks (id text PRIMARY KEY, name text, quantity bigint)',
};

/**
 * Creates the databases on a server. Call `reset` before anything else.
 * @param postgresUrl the URL of the database `postgres`
 */
export async function createLegacySystem({
  postgresUrl,
  client,
}: {
  postgresUrl: string;
  client: Kafka;
}): Promise<LegacySystem> {
  const label = randomBytes(4).toString('hex');
  const group = `stock-group-${label}`;
  const maintenance = new pg.Client({ connectionString: postgresUrl });
  await maintenance.connect();
  const open = async (kind: keyof typeof TABLES): Promise<[string, pg.Client]> => {
    const name = `legacy_${kind}_${label}`;
    await maintenance.query(`CREATE DATABASE ${name}`);
    const url = new URL(postgresUrl);
    url.pathname = `/${name}`;
    const database = new pg.Client({ connectionString: url.href });
    await database.connect();
    await database.query(TABLES[kind]);
    return [url.href, database];
  };
  const [orderDb, orders] = await open('order');
  const [stockDb, stocks] = await open('stock');
  let topic = '';
  const admin = client.admin();
  const producer = client.producer({
    createPartitioner: Partitioners.DefaultPartitioner,
    allowAutoTopicCreation: false,
  });
  await Promise.all([admin.connect(), producer.connect()]);
  const sendValues = async (values: readonly string[]): Promise<void> => {
    const messages = values.map((value) => ({ partition: 0, value }));
    await producer.send({ topic, acks: -1, messages });
  };
  return {
    ...{ orderDb, stockDb, group },
    get topic() {
      return topic;
    },
    reset: async (name) => {
      topic = name;
      await Promise.all([orders.query('TRUNCATE orders'), stocks.query('TRUNCATE stocks')]);
    },
    addStock: async (id, quantity, name = `Produk ${id}`) => {
      await stocks.query('INSERT INTO stocks VALUES ($1, $2, $3)', [id, name, quantity]);
    },
    setQuantity: async (id, quantity) => {
      await stocks.query('UPDATE stocks SET quantity = $2 WHERE id = $1', [id, quantity]);
    },
    addOrder: async (productId, quantity, id = randomUUID()) => {
      await orders.query('INSERT INTO orders VALUES ($1, $2, $3)', [id, productId, quantity]);
      return id;
    },
    send: (...sent) =>
      sendValues(
        sent.map(({ id, productId: product_id, quantity }) =>
          JSON.stringify({ id, product_id, quantity, TimeStamp: RECORD_TIME }),
        ),
      ),
    sendValue: (value) => sendValues([value]),
    commit: (offset) => commitOffset(client, { group, topic, offset }),
    close: async () => {
      await Promise.all([admin.disconnect(), producer.disconnect(), orders.end(), stocks.end()]);
      await maintenance.query(`DROP DATABASE ${new URL(orderDb).pathname.slice(1)}`);
      await maintenance.query(`DROP DATABASE ${new URL(stockDb).pathname.slice(1)}`);
      await maintenance.end();
    },
  };
}

/** Commits as a member of the group. kafkajs's admin.setOffsets takes 5 s. */
async function commitOffset(
  client: Kafka,
  { group, topic, offset }: { group: string; topic: string; offset: number },
): Promise<void> {
  const consumer = client.consumer({ groupId: group, maxWaitTimeInMs: 50 });
  try {
    await consumer.connect();
    await consumer.subscribe({ topics: [topic] });
    const fetched = new Promise((resolve) => consumer.on(consumer.events.FETCH, resolve));
    await consumer.run({ autoCommit: false, eachMessage: async () => {} });
    await fetched;
    await consumer.commitOffsets([{ topic, partition: 0, offset: String(offset) }]);
  } finally {
    await consumer.disconnect();
  }
}
