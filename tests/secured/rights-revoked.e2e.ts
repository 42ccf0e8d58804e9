import { randomUUID } from 'node:crypto';
import { GUEST } from '@gudang/embedded/secured-testing';
import { ORDER_CREATED } from '@gudang/events';
import { dataOf, graphAt } from '@gudang/testing/clients/graph-client';
import { eventually } from '@gudang/testing/eventually';
import type { ServiceProcess } from '@gudang/testing/system/service-process';
import {
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  type Admin,
  Kafka,
  logLevel,
  Partitioners,
  type Producer,
  ResourcePatternTypes,
} from 'kafkajs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type SecuredSystem, startSecuredSystem } from './secured-system.ts';

let secured: SecuredSystem;
let admin: Admin;
let producer: Producer;
let stock: ServiceProcess;

/** The rights that the documentation names: topics and groups with the prefix of the system. */
const rights = () =>
  [AclResourceTypes.TOPIC, AclResourceTypes.GROUP].map((resourceType) => ({
    resourceType,
    resourceName: String(secured.kafka['KAFKA_TOPIC_PREFIX']),
    resourcePatternType: ResourcePatternTypes.PREFIXED,
    principal: `User:${GUEST.name}`,
    host: '*',
    operation: AclOperationTypes.ALL,
    permissionType: AclPermissionTypes.ALLOW,
  }));
const grant = () => admin.createAcls({ acl: rights() });
const revoke = () => admin.deleteAcls({ filters: rights() });

beforeAll(async () => {
  secured = await startSecuredSystem();
  const client = new Kafka({
    brokers: [secured.servers.openBrokers],
    logLevel: logLevel.NOTHING,
  });
  admin = client.admin();
  producer = client.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await Promise.all([secured.migrate(), admin.connect(), producer.connect()]);
  await grant();
  stock = await secured.start('stock', {
    KAFKA_SASL_USERNAME: GUEST.name,
    KAFKA_SASL_PASSWORD: GUEST.password,
  });
  await stock.ready();
});
afterAll(async () => {
  await Promise.all([admin?.disconnect(), producer?.disconnect()]);
  await secured?.stop();
});

it('a service whose rights are revoked serves HTTP, names its consumer in /readyz, and continues when they are granted', async () => {
  const graph = graphAt(`${stock.url}/graphql`);
  const input = { id: 'kopi', name: 'Kopi', quantity: 10 };
  const addStock = 'mutation ($input: AddStockInput!) { addStock(input: $input) { id } }';
  const quantity = async () =>
    (await dataOf(graph('{ stock(id: "kopi") { quantity } }'))).stock?.quantity;
  const order = () =>
    producer.send({
      topic: `${secured.kafka['KAFKA_TOPIC_PREFIX']}${ORDER_CREATED}`,
      messages: [
        {
          key: 'kopi',
          value: JSON.stringify({
            id: randomUUID(),
            product_id: 'kopi',
            quantity: 4,
            timestamp: new Date().toISOString(),
          }),
        },
      ],
    });
  await dataOf(graph(addStock, { input }));
  await order();
  await expect.poll(quantity, { message: 'the first order is decided' }).toBe(6);

  await revoke();
  const { pid } = stock;
  const readiness = async () => (await fetch(`${stock.url}/readyz`)).text();
  const denied = /The consumer of order_created is stopped: [^"]*AUTHORIZATION_FAILED/;
  await eventually(readiness, (text) => denied.test(text), {
    until: '/readyz names the consumer and the denied operation',
    within: 30_000,
  });
  // A fetch that the broker accepted before the rights were revoked may still return records, so the
  // order is sent now.
  await order();
  expect((await fetch(`${stock.url}/healthz`)).status).toBe(200);
  expect(await quantity()).toBe(6);

  await grant();
  await expect.poll(quantity, { message: 'the second order is decided' }).toBe(2);
  await stock.ready(60_000);
  expect(stock.pid).toBe(pid);
});
