import { useQuery, useSubscription } from '@apollo/client/react';
import { graphql } from './gql';
import type { StockChangedSubscription, StocksQuery } from './gql/graphql.ts';

const STOCKS = graphql(`query Stocks {
  cursor: stockCursor
  stocks(first: 50) { nodes { id name quantity version } }
}`);
const STOCK_CHANGED = graphql(`subscription StockChanged($after: String) {
  stockChanged(after: $after) { kind stock { id name quantity version } }
}`);

export function Stocks() {
  const { data, error } = useQuery(STOCKS, { fetchPolicy: 'network-only' });
  useSubscription(STOCK_CHANGED, {
    skip: !data,
    variables: { after: data?.cursor },
    // Apollo Client has already written the stock to its cache, so each list that shows it is current.
    onData({ client: { cache }, data: { data: event } }) {
      if (!event) return;
      const { kind, stock } = event.stockChanged;
      if (kind === 'DELETED') cache.evict({ id: cache.identify(stock) });
      else cache.updateQuery({ query: STOCKS }, (list) => list && withStock(list, stock));
    },
  });
  return (
    <>
      {error && <p role="alert">{error.message}</p>}
      <ul>
        {data?.stocks.nodes.map(({ id, name, quantity }) => (
          <li key={id}>
            {name}: {quantity}
          </li>
        ))}
      </ul>
    </>
  );
}

type Stock = StockChangedSubscription['stockChanged']['stock'];

/** Adds a stock that the list does not have. */
function withStock(list: StocksQuery, stock: Stock): StocksQuery {
  const { nodes } = list.stocks;
  if (nodes.some(({ id }) => id === stock.id)) return list;
  return { ...list, stocks: { ...list.stocks, nodes: [stock, ...nodes] } };
}
