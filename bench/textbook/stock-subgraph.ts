/**
 * Stock subgraph of the textbook stack: Apollo's standalone server, Prisma's client and DataLoader, as in their
 * documentation. Environment: DATABASE_URL, KAFKA_BROKER, TOPIC_PREFIX. It answers each message of its parent
 * with its port.
 */
import { readFile } from 'node:fs/promises';
import { env } from 'node:process';
import { ApolloServer } from '@apollo/server';
import { startStandaloneServer } from '@apollo/server/standalone';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { PrismaPg } from '@prisma/adapter-pg';
import DataLoader from 'dataloader';
import { parse } from 'graphql';
import { Kafka } from 'kafkajs';
import { PrismaClient, type Stock } from './generated/stock/client.ts';
import { connectionOf, pageOptions } from './page.ts';

const { DATABASE_URL = '', KAFKA_BROKER = '', TOPIC_PREFIX = '' } = env;
const prisma = new PrismaClient({ adapter: new PrismaPg({ connectionString: DATABASE_URL }) });
const producer = new Kafka({ brokers: [KAFKA_BROKER] }).producer();
await producer.connect();

interface Context {
  readonly stocks: DataLoader<string, Stock | null>;
}

function createContext(): Context {
  const stocks = new DataLoader<string, Stock | null>(async (ids) => {
    const found = await prisma.stock.findMany({ where: { id: { in: [...ids] } } });
    const byId = new Map(found.map((stock) => [stock.id, stock]));
    return ids.map((id) => byId.get(id) ?? null);
  });
  return { stocks };
}

interface Adjustment {
  readonly id: string;
  readonly delta: number;
}

async function adjustStocks(inputs: readonly Adjustment[]): Promise<{ stock: Stock }[]> {
  const stocks = await prisma.$transaction(
    inputs.map(({ id, delta }) =>
      prisma.stock.update({
        where: { id },
        data: { quantity: { increment: delta }, version: { increment: 1 } },
      }),
    ),
  );
  await producer.send({
    topic: `${TOPIC_PREFIX}stock_changed`,
    messages: stocks.map((stock) => ({ key: stock.id, value: JSON.stringify(stock) })),
  });
  return stocks.map((stock) => ({ stock }));
}

const resolvers = {
  Query: {
    stock: (_: unknown, { id }: { id: string }, { stocks }: Context) => stocks.load(id),
    stocks: async (_: unknown, { first, after }: { first: number; after?: string }) =>
      connectionOf(await prisma.stock.findMany(pageOptions(first, after)), first),
  },
  Mutation: {
    adjustStocks: (_: unknown, { inputs }: { inputs: readonly Adjustment[] }) =>
      adjustStocks(inputs),
  },
  Stock: {
    __resolveReference: ({ id }: { id: string }, { stocks }: Context) => stocks.load(id),
  },
};

const sdl = await readFile(new URL('stock.graphql', import.meta.url), 'utf8');
const server = new ApolloServer<Context>({
  schema: buildSubgraphSchema([{ typeDefs: parse(sdl), resolvers }]),
});
const { url } = await startStandaloneServer(server, {
  listen: { host: '127.0.0.1', port: 0 },
  context: async () => createContext(),
});
process.on('message', () => process.send?.({ port: Number(new URL(url).port) }));
process.send?.({});
