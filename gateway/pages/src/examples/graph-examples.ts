import addStock from './add-stock.graphql?raw';
import type { Example } from './examples.ts';
import order from './order.graphql?raw';
import overview from './stocks.graphql?raw';
import watch from './watch.graphql?raw';

/** A query that is valid only for the graph of these examples. */
export const probe = '{ stockCursor }';

const json = (value: unknown): string => JSON.stringify(value, null, 2);

/** Operations of the shop's graph. The published gateway has an empty list instead of this module. */
export const examples: readonly Example[] = [
  { query: overview.trim() },
  { query: watch.trim() },
  { query: order.trim(), variables: json({ input: { productId: 'kopi-gayo', quantity: 1 } }) },
  {
    query: addStock.trim(),
    variables: json({
      input: { id: 'kopi-kintamani', name: 'Kopi Kintamani 250 g', quantity: 50 },
    }),
  },
];
