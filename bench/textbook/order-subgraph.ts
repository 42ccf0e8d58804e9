/**
 * Order subgraph of the textbook stack: Apollo's standalone server, Prisma's client and DataLoader, as in their
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
import { type Order, PrismaClient } from './generated/order/client.ts';
import { connectionOf, pageOptions } from './page.ts';

const { DATABASE_URL = '', KAFKA_BROKER = '', TOPIC_PREFIX = '' } = env;
const prisma = new PrismaClient({ adapter: new PrismaPg({ connectionString: DATABASE_URL }) });
const producer = new Kafka({ brokers: [KAFKA_BROKER] }).producer();
await producer.connect();

interface Context {
  readonly ordersOfStock: DataLoader<string, Order[]>;
}

function createContext(): Context {
  const ordersOfStock = new DataLoader<string, Order[]>(async (productIds) => {
    const orders = await prisma.order.findMany({
      where: { productId: { in: [...productIds] } },
      orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
    });
    return productIds.map((id) => orders.filter(({ productId }) => productId === id));
  });
  return { ordersOfStock };
}

const resolvers = {
  Query: {
    order: (_: unknown, { id }: { id: string }) => prisma.order.findUnique({ where: { id } }),
    orders: async (_: unknown, { first, after }: { first: number; after?: string }) =>
      connectionOf(await prisma.order.findMany(pageOptions(first, after)), first),
  },
  Mutation: {
    createOrder: async (
      _: unknown,
      { input }: { input: { productId: string; quantity: number } },
    ) => {
      const order = await prisma.order.create({ data: input });
      const { id, productId, quantity, createdAt } = order;
      const value = { id, product_id: productId, quantity, timestamp: createdAt };
      await producer.send({
        topic: `${TOPIC_PREFIX}order_created`,
        messages: [{ key: productId, value: JSON.stringify(value) }],
      });
      return order;
    },
  },
  Order: {
    __resolveReference: ({ id }: { id: string }) => prisma.order.findUnique({ where: { id } }),
    stock: ({ productId }: Order) => ({ id: productId }),
  },
  Stock: {
    orders: async (
      { id }: { id: string },
      { first }: { first: number },
      { ordersOfStock }: Context,
    ) => connectionOf(await ordersOfStock.load(id), first),
  },
};

const sdl = await readFile(new URL('order.graphql', import.meta.url), 'utf8');
const server = new ApolloServer<Context>({
  schema: buildSubgraphSchema([{ typeDefs: parse(sdl), resolvers }]),
});
const { url } = await startStandaloneServer(server, {
  listen: { host: '127.0.0.1', port: 0 },
  context: async () => createContext(),
});
process.on('message', () => process.send?.({ port: Number(new URL(url).port) }));
process.send?.({});
