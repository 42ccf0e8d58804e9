import { isUnknownField } from '../graph/graph-errors.ts';
import { sendOperation } from '../graph/send-operation.ts';
import addStock from './add-stock.graphql?raw';
import order from './order.graphql?raw';
import overview from './stocks.graphql?raw';
import watch from './watch.graphql?raw';

/** An operation that Sandbox and GraphiQL show when they open. */
export interface Example {
  readonly query: string;
  /** JSON text, as both editors expect. */
  readonly variables?: string;
}

const json = (value: unknown): string => JSON.stringify(value, null, 2);

const SHOP_EXAMPLES: readonly Example[] = [
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

/** Valid for any graph. */
const GENERIC_EXAMPLES: readonly Example[] = [
  {
    query:
      '# Write an operation here. Ctrl-Space completes names.\nquery Hello {\n  __typename\n}\n',
  },
];

/** Selects the examples that are valid for the graph that the gateway serves. */
export async function loadExamples(): Promise<readonly Example[]> {
  try {
    const { errors } = await sendOperation('{ stockCursor }');
    return errors.some(isUnknownField) ? GENERIC_EXAMPLES : SHOP_EXAMPLES;
  } catch {
    return SHOP_EXAMPLES;
  }
}
