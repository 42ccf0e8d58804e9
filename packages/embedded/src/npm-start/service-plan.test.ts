import { describe, expect, it } from 'vitest';
import { createBackingServers, planServices, reachableHost } from './service-plan.ts';
import { readStartSettings } from './start-settings.ts';

function plan(env: NodeJS.ProcessEnv) {
  const { settings } = readStartSettings(env);
  return planServices('/root', env, settings, createBackingServers(settings));
}

describe('planServices', () => {
  it('gives each service its port and the addresses that it needs', () => {
    const { order, stock, gateway } = plan({ ORDER_PORT: '7000', LOG_LEVEL: 'debug' });
    expect(order.env).toEqual({
      MALLOC_ARENA_MAX: '1',
      MALLOC_TRIM_THRESHOLD_: '1048576',
      ORDER_PORT: '7000',
      LOG_LEVEL: 'debug',
      PORT: '7000',
      ORDER_DATABASE_DIRECT_URL: '',
      STOCK_DATABASE_DIRECT_URL: '',
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

  it('replaces an invalid port with its default in derived addresses', () => {
    const { stock, gateway } = plan({ POSTGRES_PORT: '99999', KAFKA_PORT: 'abc', STOCK_PORT: '0' });
    expect(stock.env).toMatchObject({
      PORT: '8001',
      STOCK_DATABASE_URL: 'postgresql://postgres@127.0.0.1:54329/stock_db',
      KAFKA_BROKERS: '127.0.0.1:9092',
    });
    expect(gateway.env.SUBGRAPH_URLS).toContain('stock=http://127.0.0.1:8001/graphql');
  });

  it.each(['JWT_SECRET', 'JWT_JWKS_URL'])(
    'shares a secret between the services if %s is set',
    (name) => {
      const { order, stock, gateway } = plan({ [name]: 'set' });
      expect(order.env['SUBGRAPH_SECRET']).toMatch(/^[\w-]{32}$/);
      expect(stock.env['SUBGRAPH_SECRET']).toBe(order.env['SUBGRAPH_SECRET']);
      expect(gateway.env['SUBGRAPH_SECRET']).toBe(order.env['SUBGRAPH_SECRET']);
      expect(plan({ [name]: 'set' }).order.env['SUBGRAPH_SECRET']).not.toBe(
        order.env['SUBGRAPH_SECRET'],
      );
      expect(plan({ [name]: 'set', SUBGRAPH_SECRET: 'own' }).order.env['SUBGRAPH_SECRET']).toBe(
        'own',
      );
    },
  );

  it('passes direct database URLs only with the user’s own databases', () => {
    const direct = { ORDER_DATABASE_DIRECT_URL: 'postgresql://a@b/c' };
    expect(plan(direct).order.env).toMatchObject({ ORDER_DATABASE_DIRECT_URL: '' });
    const own = {
      ...direct,
      ORDER_DATABASE_URL: 'postgresql://p/c',
      STOCK_DATABASE_URL: 'postgresql://p/d',
    };
    expect(plan(own).order.env).toMatchObject(direct);
  });

  it('keeps the user’s SUBGRAPH_URLS', () => {
    const own = 'order=http://elsewhere/graphql';
    expect(plan({ SUBGRAPH_URLS: own }).gateway.env.SUBGRAPH_URLS).toBe(own);
  });
});

describe('reachableHost', () => {
  it.each([
    [undefined, '127.0.0.1'],
    ['0.0.0.0', '127.0.0.1'],
    ['::', '127.0.0.1'],
    ['::1', '[::1]'],
    ['192.168.1.7', '192.168.1.7'],
  ])('maps %s to %s', (host, reached) => {
    expect(reachableHost(host)).toBe(reached);
  });
});
