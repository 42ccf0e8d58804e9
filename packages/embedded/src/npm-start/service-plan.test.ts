import { expect, test } from 'vitest';
import { createBacking } from './backing.ts';
import { planServices, reachableHost } from './service-plan.ts';
import { readStartSettings } from './start-settings.ts';

function plan(env: NodeJS.ProcessEnv) {
  const { settings } = readStartSettings(env);
  return planServices('/root', env, settings, createBacking(settings));
}

test('each service gets its port and what it needs', () => {
  const { order, stock, gateway } = plan({ ORDER_PORT: '7000', LOG_LEVEL: 'debug' });
  expect(order.env).toEqual({
    ORDER_PORT: '7000',
    LOG_LEVEL: 'debug',
    PORT: '7000',
    ORDER_DATABASE_URL: 'postgresql://postgres@127.0.0.1:54329/order_db',
    KAFKA_BROKERS: '127.0.0.1:9092',
  });
  expect(stock.env).toMatchObject({ PORT: '8001', KAFKA_BROKERS: '127.0.0.1:9092' });
  expect(gateway.env).toMatchObject({
    PORT: '4000',
    SUBGRAPH_URLS: 'order=http://127.0.0.1:7000/graphql,stock=http://127.0.0.1:8001/graphql',
  });
  expect(order.script).toBe('/root/order-subgraph/dist/main.js');
});

test('a port that cannot be is not passed on in what is derived from it', () => {
  const { stock, gateway } = plan({ POSTGRES_PORT: '99999', KAFKA_PORT: 'abc', STOCK_PORT: '0' });
  expect(stock.env).toMatchObject({
    PORT: '8001',
    STOCK_DATABASE_URL: 'postgresql://postgres@127.0.0.1:54329/stock_db',
    KAFKA_BROKERS: '127.0.0.1:9092',
  });
  expect(gateway.env.SUBGRAPH_URLS).toContain('stock=http://127.0.0.1:8001/graphql');
});

test.each(['JWT_SECRET', 'JWT_JWKS_URL'])('where %s is set, the three share a secret', (name) => {
  const { order, stock, gateway } = plan({ [name]: 'set' });
  expect(order.env['SUBGRAPH_SECRET']).toMatch(/^[\w-]{32}$/);
  expect(stock.env['SUBGRAPH_SECRET']).toBe(order.env['SUBGRAPH_SECRET']);
  expect(gateway.env['SUBGRAPH_SECRET']).toBe(order.env['SUBGRAPH_SECRET']);
  expect(plan({ [name]: 'set' }).order.env['SUBGRAPH_SECRET']).not.toBe(
    order.env['SUBGRAPH_SECRET'],
  );
  expect(plan({ [name]: 'set', SUBGRAPH_SECRET: 'own' }).order.env['SUBGRAPH_SECRET']).toBe('own');
});

test('the user’s own SUBGRAPH_URLS stay', () => {
  const own = 'order=http://elsewhere/graphql';
  expect(plan({ SUBGRAPH_URLS: own }).gateway.env.SUBGRAPH_URLS).toBe(own);
});

test.each([
  [undefined, '127.0.0.1'],
  ['0.0.0.0', '127.0.0.1'],
  ['::', '127.0.0.1'],
  ['::1', '[::1]'],
  ['192.168.1.7', '192.168.1.7'],
])('services that listen on %s are reached at %s', (host, reached) => {
  expect(reachableHost(host)).toBe(reached);
});
