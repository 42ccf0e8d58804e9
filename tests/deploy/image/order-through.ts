import { dataOf, graphAt } from '@gudang/testing/clients/graph-client';
import { eventually } from '@gudang/testing/eventually';

/** Stocks a product, orders some of it and waits for the decision. @returns the decided order */
export async function orderThrough(gatewayUrl: string): Promise<string> {
  const graph = graphAt(`${gatewayUrl}/graphql`);
  const input = '{ id: "kopi", name: "Kopi", quantity: 5 }';
  await dataOf(graph(`mutation { addStock(input: ${input}) { id } }`));
  const { createOrder } = await dataOf(
    graph('mutation { createOrder(input: { productId: "kopi", quantity: 2 }) { id } }'),
  );
  const query = 'query ($id: ID!) { order(id: $id) { status stock { quantity } } }';
  const { order } = await eventually(
    () => dataOf(graph(query, { id: createOrder.id })),
    (seen) => seen.order.status !== 'PENDING',
    { until: 'the order is decided', within: 30_000 },
  );
  return JSON.stringify(order);
}
