import { createClient, liveList } from '@gudang/client';

const list = liveList(createClient({ url: 'http://localhost:4000/graphql' }), {
  query: `query ($after: String) {
    stockCursor
    stocks(first: 50, after: $after) {
      nodes { id quantity version createdAt }
      pageInfo { endCursor hasNextPage }
    }
  }`,
  page: ({ stockCursor, stocks }) => ({
    cursor: stockCursor,
    items: stocks.nodes,
    ...stocks.pageInfo,
  }),
  subscription: 'subscription { stockChanged { kind stock { id quantity version createdAt } } }',
  event: ({ stockChanged: { kind, stock } }) => ({ item: stock, deleted: kind === 'DELETED' }),
  id: (stock) => stock.id,
  version: (stock) => stock.version,
  compare: (a, b) => b.createdAt.localeCompare(a.createdAt),
});

list.subscribe(() => console.log(list.get().items));
