import { describe, expect, it } from 'vitest';
import { createBackingServers } from './service-plan.ts';
import { readStartSettings } from './start-settings.ts';

const OWN = {
  ORDER_DATABASE_URL: 'postgresql://a:b@db/order',
  STOCK_DATABASE_URL: 'postgresql://a:b@db/stock',
};

describe('readStartSettings without variables', () => {
  const { settings, problems } = readStartSettings({});

  it('starts all parts on their default ports', () => {
    expect(problems).toEqual([]);
    expect(settings.ports).toEqual({
      postgres: 54_329,
      kafka: 9092,
      gateway: 4000,
      order: 8000,
      stock: 8001,
    });
    expect(settings.directory).toMatch(/\/\.gudang$/);
  });

  it('gives the services the addresses of the embedded servers', () => {
    expect(createBackingServers(settings)).toEqual({
      databases: {
        order: 'postgresql://postgres@127.0.0.1:54329/order_db',
        stock: 'postgresql://postgres@127.0.0.1:54329/stock_db',
      },
      brokers: '127.0.0.1:9092',
    });
  });
});

describe('readStartSettings', () => {
  it('uses the user’s own servers', () => {
    const { settings, problems } = readStartSettings({ ...OWN, KAFKA_BROKERS: 'k1:9092,k2:9092' });
    expect(problems).toEqual([]);
    expect(createBackingServers(settings)).toEqual({
      databases: { order: OWN.ORDER_DATABASE_URL, stock: OWN.STOCK_DATABASE_URL },
      brokers: 'k1:9092,k2:9092',
    });
  });

  it.each(['ORDER_DATABASE_URL', 'STOCK_DATABASE_URL'] as const)('rejects %s alone', (name) => {
    const { problems } = readStartSettings({ [name]: OWN[name] });
    expect(problems).toEqual([
      expect.stringMatching(new RegExp(`is missing but ${name} is set: set both`)),
    ]);
  });

  it('reports all problems at once', () => {
    const env = { KAFKA_PORT: 'abc', GATEWAY_PORT: '0', ORDER_PORT: '8001', STOCK_PORT: '65536' };
    expect(readStartSettings(env).problems).toEqual([
      'KAFKA_PORT: "abc" is not allowed; a whole number from 1 to 65535',
      'GATEWAY_PORT: "0" is not allowed; a whole number from 1 to 65535',
      'STOCK_PORT: "65536" is not allowed; a whole number from 1 to 65535',
    ]);
  });

  it('rejects the same port for two parts', () => {
    expect(readStartSettings({ ORDER_PORT: '4000' }).problems).toEqual([
      'GATEWAY_PORT and ORDER_PORT are both 4000',
    ]);
  });

  it('ignores the port of a part that is not started', () => {
    expect(
      readStartSettings({ ...OWN, POSTGRES_PORT: 'x', GATEWAY_PORT: '54329' }).problems,
    ).toEqual([]);
  });

  it('treats an empty variable as unset', () => {
    expect(readStartSettings({ KAFKA_BROKERS: ' ', ORDER_DATABASE_URL: '' }).problems).toEqual([]);
  });
});
