import addStock from './add-stock.graphql?raw';
import order from './order.graphql?raw';
import overview from './stocks.graphql?raw';
import watch from './watch.graphql?raw';

/** An operation to begin with. */
export interface Example {
  readonly query: string;
  /** JSON, as the editors take it. */
  readonly variables?: string;
}

const json = (value: unknown): string => JSON.stringify(value, null, 2);

/** Of the shop's graph. */
export const SHOP_EXAMPLES: readonly Example[] = [
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

/** Of any graph. */
export const ANY_EXAMPLES: readonly Example[] = [
  { query: '# Ask the graph anything: Ctrl-Space suggests.\nquery Hello {\n  __typename\n}\n' },
];
