import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { createClient } from '@gudang/client';

const { GRAPH_URL = 'http://localhost:4000/graphql', LIMIT = '5', TOKEN } = process.env;
const client = createClient({ url: GRAPH_URL, token: () => TOKEN });
const limit = Number(LIMIT);

const LOW_STOCKS = `query LowStocks($limit: Int!, $after: String) {
  stockCursor
  stocks(quantityAtMost: $limit, first: 100, after: $after) {
    nodes { id name quantity version }
    pageInfo { endCursor hasNextPage }
  }
}`;
const STOCK_CHANGED = `subscription StockChanged($limit: Int!) {
  stockChanged(quantityAtMost: $limit) { kind stock { id name quantity version } }
}`;

/** After a crash, it may be called again for the same version. */
async function handle({ id, name, quantity, version }) {
  if (quantity <= limit) console.log(`${name} (${id}) has ${quantity}, version ${version}`);
}

/** The file is written and then renamed, so that a crash leaves no half of a cursor. */
async function save(cursor) {
  await writeFile('cursor.new', cursor);
  await rename('cursor.new', 'cursor');
}

/** Handles the stocks that are low now. Returns the cursor after which the changes follow. */
async function readAll() {
  let start;
  let after = null;
  do {
    const { stockCursor, stocks } = await client.query(LOW_STOCKS, { limit, after });
    start ??= stockCursor;
    for (const stock of stocks.nodes) await handle(stock);
    after = stocks.pageInfo.hasNextPage ? stocks.pageInfo.endCursor : null;
  } while (after);
  await save(start);
  return start;
}

async function watch() {
  const after = await readFile('cursor', 'utf8').catch(readAll);
  for await (const event of client.subscribe(STOCK_CHANGED, { limit }, { after })) {
    if (event.errors) return; // the change could not be read: subscribe again after the last cursor
    const change = event.data?.stockChanged;
    if (change && change.kind !== 'DELETED') await handle(change.stock);
    if (event.cursor) await save(event.cursor);
  }
}

for (;;) {
  try {
    await watch();
  } catch (error) {
    // The worker was stopped for longer than the changes are known: begin with the stocks again.
    if (error.code === 'CURSOR_EXPIRED') await rm('cursor');
    else if (!error.retryable) throw error;
  }
  await pause(1_000);
}
