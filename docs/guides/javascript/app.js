import { createClient, liveList } from '@gudang/client';

const list = liveList(createClient({ url: '/graphql' }), {
  query: `query Stocks($after: String) {
    cursor: stockCursor
    stocks(first: 50, after: $after) {
      nodes { id name quantity version createdAt }
      pageInfo { endCursor hasNextPage }
    }
  }`,
  page: ({ cursor, stocks }) => ({ cursor, items: stocks.nodes, ...stocks.pageInfo }),
  subscription: `subscription StockChanged {
    stockChanged { kind stock { id name quantity version createdAt } }
  }`,
  event: ({ stockChanged: { kind, stock } }) => ({ item: stock, deleted: kind === 'DELETED' }),
  id: (stock) => stock.id,
  version: (stock) => stock.version,
  compare: (a, b) => b.createdAt.localeCompare(a.createdAt),
});

list.subscribe(() => {
  const { items, state, error } = list.get();
  document.querySelector('[role=status]').textContent = error?.message ?? state;
  const rows = items.map(({ name, quantity }) => {
    const row = document.createElement('li');
    row.textContent = `${name}: ${quantity}`;
    return row;
  });
  document.querySelector('ul').replaceChildren(...rows);
});
