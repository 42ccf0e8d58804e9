/**
 * Statements that serve orders, pages and live streams, each identified by a pattern of its text.
 * `plans.e2e.ts` fails if PostgreSQL's log does not contain all of them.
 */
export const HOT_STATEMENTS: Readonly<Record<string, { database: 'order' | 'stock'; is: RegExp }>> =
  {
    'create orders': { database: 'order', is: /INSERT INTO orders/ },
    'the order of an existing idempotency key': {
      database: 'order',
      is: /WHERE \(owner, idempotency_key\) IN/,
    },
    'orders by id': { database: 'order', is: /FROM orders WHERE id = ANY/ },
    'newest orders': { database: 'order', is: /FROM orders WHERE true ORDER BY created_at DESC/ },
    'orders after a cursor': {
      database: 'order',
      is: /FROM orders WHERE true AND \(created_at, id\) < \(.*?\) ORDER BY created_at DESC/,
    },
    'last orders before a cursor': {
      database: 'order',
      is: /FROM orders WHERE true AND \(created_at, id\) > \(.*?\) ORDER BY created_at, id/,
    },
    'orders of a product': {
      database: 'order',
      is: /WHERE true AND product_id = \$1 (AND \(|ORD)/,
    },
    'orders of a status': { database: 'order', is: /WHERE true AND status = / },
    'orders of a product and a status': {
      database: 'order',
      is: /WHERE true AND product_id = \$1 AND status = /,
    },
    'orders of a period': {
      database: 'order',
      is: /WHERE true AND created_at >= \$1 AND created_at < /,
    },
    'orders of a product in a period': {
      database: 'order',
      is: /WHERE true AND product_id = \$1 AND created_at >= /,
    },
    'orders of a status in a period': {
      database: 'order',
      is: /WHERE true AND status = \$1::order_status AND created_at >= /,
    },
    'orders of an owner in a period': {
      database: 'order',
      is: /WHERE true AND owner = \$1 AND owner <> '' AND created_at >= /,
    },
    'orders of an owner': { database: 'order', is: /WHERE true AND owner = / },
    'a snapshot of orders': {
      database: 'order',
      is: /SELECT \* FROM orders WHERE changed_at >= \$1 AND changed_at <= \$2 ORDER BY changed_at/,
    },
    "a snapshot of an owner's orders": {
      database: 'order',
      is: /SELECT \* FROM orders WHERE changed_at >= \$1 AND changed_at <= \$2 AND owner = /,
    },
    "stocks' orders": { database: 'order', is: /WHERE product_id = wanted\.product/ },
    'lock orders to settle': {
      database: 'order',
      is: /JOIN orders USING .id. ORDER BY id FOR UPDATE/,
    },
    'settle orders': { database: 'order', is: /UPDATE orders SET/ },
    'overdue orders': { database: 'order', is: /FOR UPDATE OF orders SKIP LOCKED/ },
    'events of orders to send': {
      database: 'order',
      is: /FROM outbox WHERE id > \$1 ORDER BY id LIMIT/,
    },
    'delete sent events of orders': { database: 'order', is: /DELETE FROM outbox/ },
    'lock stocks': { database: 'stock', is: /FROM stocks WHERE id = ANY.* FOR UPDATE/ },
    'known decisions': { database: 'stock', is: /FROM decisions WHERE order_id = ANY/ },
    'write stocks': { database: 'stock', is: /UPDATE stocks SET/ },
    'write the ledger': { database: 'stock', is: /INSERT INTO movements/ },
    'write decisions': { database: 'stock', is: /INSERT INTO decisions/ },
    'write events': { database: 'stock', is: /INSERT INTO outbox/ },
    'events of stocks to send': {
      database: 'stock',
      is: /FROM outbox WHERE id > \$1 ORDER BY id LIMIT/,
    },
    'delete sent events of stocks': { database: 'stock', is: /DELETE FROM outbox/ },
    'stocks by id': {
      database: 'stock',
      is: /FROM stocks WHERE id = ANY\(\$1::text\[\]\) AND deleted_at IS NULL/,
    },
    'newest stocks': {
      database: 'stock',
      is: /FROM stocks WHERE deleted_at IS NULL ORDER BY created_at DESC/,
    },
    'stocks after a cursor': { database: 'stock', is: /IS NULL AND \(created_at, id\) </ },
    'newest stocks with little quantity': {
      database: 'stock',
      is: /FROM stocks WHERE deleted_at IS NULL AND quantity_level <= .* ORDER BY created_at DESC/,
    },
    'stocks by name': { database: 'stock', is: /IS NULL ORDER BY lower\(name\)/ },
    'stocks by name after a cursor': {
      database: 'stock',
      is: /\(lower\(name\) COLLATE "C", id\) > .* ORDER BY lower\(name\)/,
    },
    'stocks by quantity': {
      database: 'stock',
      is: /quantity_level = 0 ORDER BY id ASC .* ORDER BY quantity ASC, id ASC/,
    },
    'stocks by quantity after a cursor': {
      database: 'stock',
      is: /quantity_level >= \$\d+ AND \(quantity, id\) > .* ORDER BY quantity ASC/,
    },
    'stocks by quantity before a cursor': {
      database: 'stock',
      is: /quantity_level <= \$\d+ AND \(quantity, id\) < .* ORDER BY quantity DESC/,
    },
    'stocks by a substring of their name': { database: 'stock', is: /name ILIKE/ },
    'movements of stocks': { database: 'stock', is: /FROM movements WHERE stock_id = wanted/ },
    'a snapshot of stocks': { database: 'stock', is: /AS "lastQuantity" FROM stocks/ },
  };
