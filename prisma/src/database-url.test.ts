import { describe, expect, test } from 'vitest';
import { assertDifferentDatabases, parseDatabaseUrl, readDatabaseUrl } from './database-url.ts';

const ADDRESS = 'postgresql://gudang:geheim@db.example:6432/orders?sslmode=require';

describe('parseDatabaseUrl', () => {
  test('returns a label without the password', () => {
    const url = parseDatabaseUrl('order', ADDRESS);
    expect(url.label).toBe('orders at db.example:6432');
    expect(url).toMatchObject({ database: 'orders', schema: 'public', url: ADDRESS });
  });

  test('keeps the user and the parameters in the maintenance address', () => {
    expect(parseDatabaseUrl('order', ADDRESS).maintenanceUrl).toBe(
      'postgresql://gudang:geheim@db.example:6432/postgres?sslmode=require',
    );
  });

  test.each([undefined, '', ' '])('names the setting in the error if the value is %j', (value) => {
    expect(() => parseDatabaseUrl('stock', value)).toThrow(
      /^STOCK_DATABASE_URL is not set.*stock_db$/,
    );
  });

  test.each(['geheim', 'mysql://a:geheim@b/c', 'postgresql://a:geheim@b', 'postgresql://b/%zz'])(
    'rejects %s and does not print it',
    (value) => {
      expect(() => parseDatabaseUrl('order', value)).toThrow(
        /^ORDER_DATABASE_URL is not a PostgreSQL address such as (?!.*geheim)/,
      );
    },
  );
});

describe('assertDifferentDatabases', () => {
  test('rejects two addresses of the same database and schema', () => {
    const order = parseDatabaseUrl('order', 'postgresql://a@h/x');
    const stock = (value: string) => parseDatabaseUrl('stock', value);
    expect(() => assertDifferentDatabases(order, stock('postgresql://b@h:5432/x'))).toThrow(
      'same database',
    );
    assertDifferentDatabases(order, stock('postgresql://b@h:5432/y'));
    assertDifferentDatabases(order, stock('postgresql://b@h:5432/x?schema=stock'));
  });
});

describe('readDatabaseUrl', () => {
  const pooled = 'postgresql://a@pooler/x';
  const direct = 'postgresql://a@server/x';

  test('prefers the address without a pooler', () => {
    const env = { STOCK_DATABASE_URL: pooled, STOCK_DATABASE_DIRECT_URL: direct };
    expect(readDatabaseUrl('stock', env)).toMatchObject({
      url: direct,
      setting: 'STOCK_DATABASE_DIRECT_URL',
    });
  });

  test.each([undefined, '', ' '])('ignores %j as an address without a pooler', (empty) => {
    const env = { STOCK_DATABASE_URL: pooled, STOCK_DATABASE_DIRECT_URL: empty };
    expect(readDatabaseUrl('stock', env).url).toBe(pooled);
  });

  test('names the setting of an invalid address', () => {
    expect(() => readDatabaseUrl('stock', { STOCK_DATABASE_DIRECT_URL: 'server' })).toThrow(
      /^STOCK_DATABASE_DIRECT_URL is not a PostgreSQL address/,
    );
  });
});
