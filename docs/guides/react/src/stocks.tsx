import { useLiveList } from '@gudang/client/react';
import { graphql } from './graphql.ts';

const STOCKS = graphql(`query Stocks($after: String) {
  cursor: stockCursor
  stocks(first: 50, after: $after) {
    nodes { id name quantity version createdAt }
    pageInfo { endCursor hasNextPage }
  }
}`);
const STOCK_CHANGED = graphql(`subscription StockChanged {
  stockChanged { kind stock { id name quantity version createdAt } }
}`);

export function Stocks() {
  const { items, hasMore, loadMore, state, error } = useLiveList({
    query: STOCKS,
    page: ({ cursor, stocks }) => ({ cursor, items: stocks.nodes, ...stocks.pageInfo }),
    subscription: STOCK_CHANGED,
    event: ({ stockChanged: { kind, stock } }) => ({ item: stock, deleted: kind === 'DELETED' }),
    id: (stock) => stock.id,
    version: (stock) => stock.version,
    compare: (a, b) => b.createdAt.localeCompare(a.createdAt),
  });
  return (
    <>
      <p role="status">{error?.message ?? state}</p>
      <ul>
        {items.map(({ id, name, quantity }) => (
          <li key={id}>
            {name}: {quantity}
          </li>
        ))}
      </ul>
      {hasMore && (
        <button type="button" onClick={() => void loadMore()}>
          More
        </button>
      )}
    </>
  );
}
