import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { composeServices } from '@apollo/composition';
import { startPostgres } from '@gudang/embedded';
import { graphAt } from '@gudang/testing/clients/graph-client';
import { openDatabases } from '@gudang/testing/system/databases';
import { parse } from 'graphql';
import { Kafka } from 'kafkajs';
import { startChild, startChildWith } from '../live/child.ts';
import type { BenchRig } from '../suite/bench-rig.ts';
import { thisBuild } from '../suite/build.ts';
import { analyzeTables, copyRows } from '../suite/copy-rows.ts';
import { createCpuProbe } from '../suite/cpu-probe.ts';
import type { Stack } from './stacks.ts';

/** Name of the textbook stack. */
export const TEXTBOOK = 'textbook';
const SIDES = ['order', 'stock'] as const;
const TOPICS = ['textbook.order_created', 'textbook.stock_changed'];
const ENVIRONMENT = {
  NODE_ENV: 'production',
  TOPIC_PREFIX: 'textbook.',
  KAFKAJS_NO_PARTITIONER_WARNING: '1',
};

/**
 * Starts the stack that a user would build from the same parts: @apollo/gateway with its default data source,
 * Apollo's standalone server, Prisma and DataLoader. It has a PostgreSQL of its own with the rig's tables and
 * rows. It shares the rig's Kafka, with other topics.
 */
export async function startTextbook(rig: BenchRig): Promise<Stack> {
  const directory = await mkdtemp(join(tmpdir(), 'gudang-textbook-'));
  const stops: (() => Promise<unknown>)[] = [() => rm(directory, { recursive: true, force: true })];
  const stop = async (): Promise<void> => {
    for (const one of stops.reverse()) await one();
  };
  try {
    const postgres = await startPostgres({ directory: join(directory, 'postgres') });
    stops.push(() => postgres.stop());
    const urls = { order: postgres.url('order_db'), stock: postgres.url('stock_db') };
    await thisBuild.migrate(urls);
    const databases = openDatabases(urls);
    stops.push(databases.close);
    await copyRows(rig.databases, databases);
    await analyzeTables(databases);
    await createTopics(rig.kafkaBroker);
    const subgraphs = await Promise.all(
      SIDES.map(async (side) => {
        const script = `../textbook/${side}-subgraph.ts`;
        const child = await startChildWith(
          { ...ENVIRONMENT, DATABASE_URL: urls[side], KAFKA_BROKER: rig.kafkaBroker },
          script,
        );
        stops.push(child.stop);
        const { port } = await child.ask<{ port: number }>({});
        return { side, pid: child.pid, url: `http://127.0.0.1:${port}/` };
      }),
    );
    const supergraph = join(directory, 'supergraph.graphql');
    await writeFile(supergraph, await compose(subgraphs));
    const named = subgraphs.map(({ side, url }) => `${side}=${url}`);
    const gateway = await startChild('../cases/apollo-default.ts', supergraph, ...named);
    stops.push(gateway.stop);
    const { port } = await gateway.ask<{ port: number }>({});
    const graphUrl = `http://127.0.0.1:${port}/`;
    const pids = Object.fromEntries(subgraphs.map(({ side, pid }) => [side, pid]));
    return {
      name: TEXTBOOK,
      graphUrl,
      graph: graphAt(graphUrl),
      stockIds: rig.stockIds,
      readCpu: createCpuProbe({ gateway: gateway.pid, ...pids }, postgres.pid),
      // No work remains after a response: the messages have no consumer.
      settled: async () => {},
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function createTopics(broker: string): Promise<void> {
  const admin = new Kafka({ brokers: [broker] }).admin();
  await admin.connect();
  await admin.createTopics({ topics: TOPICS.map((topic) => ({ topic })), waitForLeaders: true });
  await admin.disconnect();
}

async function compose(
  subgraphs: readonly { readonly side: string; readonly url: string }[],
): Promise<string> {
  const services = await Promise.all(
    subgraphs.map(async ({ side, url }) => {
      const sdl = await readFile(new URL(`../textbook/${side}.graphql`, import.meta.url), 'utf8');
      return { name: side, url, typeDefs: parse(sdl) };
    }),
  );
  const { supergraphSdl, errors } = composeServices(services);
  if (supergraphSdl === undefined) throw new Error(String(errors));
  return supergraphSdl;
}
