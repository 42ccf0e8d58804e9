import { freePort } from '@gudang/embedded';
import { createTestDatabase, testTopicPrefix } from '@gudang/embedded/testing';
import { dataOf, graphAt } from '@gudang/testing/clients/graph-client';
import { eventually } from '@gudang/testing/eventually';
import {
  type Environment,
  type Readiness,
  type ServiceProcess,
  startServiceProcess,
  warningsOf,
} from '@gudang/testing/system/service-process';
import { type Service, scriptOf } from '@gudang/testing/system/system';
import { describe, expect, inject, type TestContext, test } from 'vitest';

const UNREACHABLE_DATABASE = 'postgresql://somebody:geheim@127.0.0.1:1/nothing';

describe.concurrent('unavailable', () => {
  async function start(
    { onTestFinished }: TestContext,
    service: Service,
    environment: Environment,
  ): Promise<ServiceProcess> {
    const part = await startServiceProcess({
      name: service,
      script: scriptOf(service),
      environment: { PORT: '0', KAFKA_TOPIC_PREFIX: testTopicPrefix(), ...environment },
    });
    onTestFinished(async () => {
      await part.stop();
    });
    return part;
  }

  const reasons = ({ parts }: Readiness): Record<string, string> =>
    Object.fromEntries(
      Object.entries(parts)
        .filter(([, { state }]) => state !== 'ok')
        .map(([name, { state, reason }]) => [name, `${state}: ${reason}`]),
    );

  async function expectAlive(part: ServiceProcess): Promise<void> {
    const response = await fetch(`${part.url}/healthz`);
    expect(response.status).toBe(200);
    expect(part.running()).toBe(true);
  }

  test.for([
    ['order', 'ORDER_DATABASE_URL'],
    ['stock', 'STOCK_DATABASE_URL'],
  ] as const)(
    'database of %s: the service is live but not ready, and names the database',
    async ([service, setting], context) => {
      const part = await start(context, service, {
        [setting]: UNREACHABLE_DATABASE,
        KAFKA_BROKERS: inject('kafkaBrokers'),
      });
      const seen = await eventually(
        part.readiness,
        (readiness) => readiness.parts['database']?.state === 'down',
      );
      expect(seen).toMatchObject({ status: 503, ready: false });
      expect(reasons(seen)['database']).toBe(
        'down: PostgreSQL at postgresql://127.0.0.1:1/nothing does not answer',
      );
      await expectAlive(part);
      const [line] = await eventually(
        () => warningsOf(part).filter((one) => one.includes(setting)),
        (lines) => lines.length > 0,
      );
      expect(line).toMatch(new RegExp(`PostgreSQL at .* does not answer: .*in ${setting}`));
      expect(part.output()).not.toContain('geheim');

      const { errors } = await graphAt(`${part.url}/graphql`)(
        service === 'order' ? '{ orders { nodes { id } } }' : '{ stocks { nodes { id } } }',
      );
      expect(errors).toMatchObject([{ extensions: { code: 'UNAVAILABLE', retryable: true } }]);
    },
  );

  test.for([
    ['order', 'ORDER_DATABASE_URL'],
    ['stock', 'STOCK_DATABASE_URL'],
  ] as const)(
    'broker of %s: the service is live, ready and degraded, and serves requests',
    async ([service, setting], context) => {
      const database = await createTestDatabase(inject('postgresUrl'), service);
      context.onTestFinished(() => database.drop());
      const broker = `127.0.0.1:${await freePort()}`;
      const part = await start(context, service, {
        [setting]: database.url,
        KAFKA_BROKERS: broker,
      });
      const seen = await part.ready();
      expect(seen).toMatchObject({ status: 200, ready: true });
      expect(reasons(seen)['kafka']).toBe(`degraded: Kafka at ${broker} does not answer`);
      await expectAlive(part);

      const graph = graphAt(`${part.url}/graphql`);
      const mutation =
        service === 'order'
          ? 'mutation { done: createOrder(input: {productId: "a", quantity: 1}) { id } }'
          : 'mutation { done: addStock(input: {name: "a", quantity: 1}) { id } }';
      const { done } = await dataOf(graph(mutation));
      expect(done.id).toEqual(expect.any(String));

      const [line] = await eventually(
        () => warningsOf(part).filter((one) => one.includes('KAFKA_BROKERS')),
        (lines) => lines.length > 0,
      );
      expect(line).toMatch(new RegExp(`Kafka at ${broker} does not answer: .*set KAFKA_BROKERS`));
    },
  );

  test('subgraphs of the gateway: the gateway is live, ready and degraded, and names the subgraph in errors', async (context) => {
    const gateway = await start(context, 'gateway', {
      SUBGRAPH_URLS: 'order=http://127.0.0.1:1/graphql,stock=http://127.0.0.1:1/graphql',
    });
    const seen = await gateway.ready();
    expect(reasons(seen)).toEqual({
      'subgraph order': 'degraded: the subgraph order does not answer',
      'subgraph stock': 'degraded: the subgraph stock does not answer',
    });
    await expectAlive(gateway);
    const { data, errors } = await graphAt(`${gateway.url}/graphql`)('{ stocks { nodes { id } } }');
    expect(data ?? null).toBeNull();
    expect(errors).toMatchObject([
      { message: expect.stringContaining('stock'), extensions: { code: 'UNAVAILABLE' } },
    ]);
    expect(warningsOf(gateway)).toEqual([expect.stringContaining('the subgraph stock')]);
  });
});
