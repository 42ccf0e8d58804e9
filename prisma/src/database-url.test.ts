import { expect, test } from 'vitest';
import { readDatabaseUrl, refuseSameDatabase } from './database-url.ts';

const ADDRESS = 'postgresql://gudang:geheim@db.example:6432/orders?sslmode=require';

test('what is told of an address never holds its password', () => {
  const url = readDatabaseUrl('order', ADDRESS);
  expect(url.label).toBe('orders at db.example:6432');
  expect(url).toMatchObject({ database: 'orders', schema: 'public', url: ADDRESS });
});

test('the server’s own database is reached with the same user and settings', () => {
  expect(readDatabaseUrl('order', ADDRESS).maintenanceUrl).toBe(
    'postgresql://gudang:geheim@db.example:6432/postgres?sslmode=require',
  );
});

test.each([undefined, '', ' '])('%j: the setting is named', (value) => {
  expect(() => readDatabaseUrl('stock', value)).toThrow(
    /^STOCK_DATABASE_URL is not set.*stock_db$/,
  );
});

test.each(['geheim', 'mysql://a:geheim@b/c', 'postgresql://a:geheim@b', 'postgresql://b/%zz'])(
  '%s is refused without being repeated',
  (value) => {
    expect(() => readDatabaseUrl('order', value)).toThrow(
      /^ORDER_DATABASE_URL is not a PostgreSQL address such as (?!.*geheim)/,
    );
  },
);

test('one database cannot serve for both', () => {
  const order = readDatabaseUrl('order', 'postgresql://a@h/x');
  const stock = (value: string) => readDatabaseUrl('stock', value);
  expect(() => refuseSameDatabase(order, stock('postgresql://b@h:5432/x'))).toThrow(
    'same database',
  );
  refuseSameDatabase(order, stock('postgresql://b@h:5432/y'));
  refuseSameDatabase(order, stock('postgresql://b@h:5432/x?schema=stock'));
});
