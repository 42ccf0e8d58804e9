import { useQuery, useSubscription } from '@apollo/client/react';
import { graphql } from './gql';
import type { StockChangedSubscription, StocksQuery } from './gql/graphql.ts';

const SIZE = 50;
const variables = { first: SIZE };
const STOCKS = graphql(`query Stocks($first: Int!) {
  cursor: stockCursor
  stocks(first: $first) { nodes { id name quantity version createdAt } }
}`);
const STOCK_CHANGED = graphql(`subscription StockChanged($after: String) {
  stockChanged(after: $after) { kind stock { id name quantity version createdAt } }
}`);

export function Stocks() {
  const { data, error } = useQuery(STOCKS, { variables, fetchPolicy: 'network-only' });
  useSubscription(STOCK_CHANGED, {
    skip: !data,
    variables: { after: data?.cursor },
    // Apollo Client has already written the stock to its cache, so each list that shows it is current.
    onData({ client: { cache }, data: { data: event } }) {
      if (!event) return;
      const { kind, stock } = event.stockChanged;
      if (kind === 'DELETED') cache.evict({ id: cache.identify(stock) });
      else
        cache.updateQuery({ query: STOCKS, variables }, (list) => list && withStock(list, stock));
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

/** Adds a stock that the list does not have, unless it is older than those of the list. */
function withStock(list: StocksQuery, stock: Stock): StocksQuery {
  const { nodes } = list.stocks;
  if (nodes.some(({ id }) => id === stock.id)) return list;
  const newest = [stock, ...nodes].sort((a, b) => b.createdAt.localeCompare(a.createdAt));
  return { ...list, stocks: { ...list.stocks, nodes: newest.slice(0, SIZE) } };
}
