import { EventEmitter, on } from 'node:events';
import { serveSubgraph } from './serve-subgraph.mjs';

const products = new Map(
  [
    { id: '1', name: 'Lamp', price: 40 },
    { id: '2', name: 'Chair', price: 120 },
  ].map((product) => [product.id, product]),
);
/** All changes so far. The cursor of a change is its number. */
const changes = [];
const changed = new EventEmitter();

function setPrice(_, { id, price }) {
  const product = { ...products.get(id), price };
  if (!products.has(id)) throw new Error(`There is no product ${id}`);
  products.set(id, product);
  changes.push({ product, cursor: String(changes.length + 1) });
  changed.emit('change');
  return product;
}

async function* priceChanges({ after }) {
  const next = on(changed, 'change');
  let sent = after === undefined || after === null ? changes.length : Number(after);
  for (;;) {
    while (sent < changes.length) {
      yield { priceChanged: changes[sent] };
      sent += 1;
    }
    await next.next();
  }
}

serveSubgraph('products.graphql', Number(process.env.PRODUCTS_PORT ?? 4001), {
  Query: { products: () => [...products.values()] },
  Mutation: { setPrice },
  Subscription: { priceChanged: { subscribe: (_, args) => priceChanges(args) } },
  Product: { __resolveReference: ({ id }) => products.get(id) ?? null },
});
