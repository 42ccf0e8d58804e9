import { createClient } from 'graphql-ws';

const stocks = new Map();
function show(stock, deleted) {
  if (stocks.get(stock.id)?.version >= stock.version) return; // keep the highest version
  stocks.set(stock.id, { ...stock, deleted });
  const present = [...stocks.values()].filter((each) => !each.deleted);
  const lines = present.map(({ name, quantity }) => `${name}: ${quantity}`);
  document.querySelector('pre').textContent = lines.join('\n');
}

const query = '{ stockCursor stocks(first: 100) { nodes { id name quantity version } } }';
const answer = await fetch(`/graphql?${new URLSearchParams({ query })}`, {
  headers: { 'apollo-require-preflight': 'yes' }, // prevents CSRF: other websites cannot send this header
});
const { data } = await answer.json();
for (const stock of data.stocks.nodes) show(stock, false);

const live = {
  query: `subscription ($after: String) {
    stockChanged(after: $after) { kind cursor stock { id name quantity version } } }`,
  variables: { after: data.stockCursor },
};
const url = `${location.origin.replace('http', 'ws')}/graphql`;
const client = createClient({ url, retryAttempts: 1e9, shouldRetry: () => true });
client.subscribe(live, {
  next({ data: { stockChanged } }) {
    live.variables.after = stockChanged.cursor; // a new connection resumes from here
    show(stockChanged.stock, stockChanged.kind === 'DELETED');
  },
  error: console.error,
  complete() {},
});
