import { type Services, tokenSetting } from './service-plan.ts';

/** Sample stocks of an Indonesian shop. */
const STOCKS = [
  { id: 'kopi-gayo', name: 'Kopi Gayo 250 g', quantity: 120 },
  { id: 'kopi-toraja', name: 'Kopi Toraja 250 g', quantity: 80 },
  { id: 'teh-melati', name: 'Teh Melati 100 g', quantity: 200 },
  { id: 'sambal-matah', name: 'Sambal Matah 150 ml', quantity: 60 },
  { id: 'kecap-manis', name: 'Kecap Manis 600 ml', quantity: 150 },
  { id: 'gula-aren', name: 'Gula Aren 500 g', quantity: 40 },
  { id: 'batik-tulis', name: 'Batik Tulis Pekalongan', quantity: 12 },
  { id: 'kerupuk-udang', name: 'Kerupuk Udang 400 g', quantity: 0 },
];

const IS_EMPTY = '{ stocks(first: 1) { nodes { id } } }';
const ADD = 'mutation ($input: AddStockInput!) { addStock(input: $input) { id } }';

/** The subject of the demo data's ledger entries. */
const SUBJECT = 'npm start';

/**
 * Adds sample stocks through the graph if there are no stocks. Returns the number of added stocks. If
 * callers need tokens, the stocks are added in the stock subgraph with the gateway's secret, because
 * `npm start` has no token.
 */
export async function addDemoData({ gateway, stock }: Services): Promise<number> {
  const [secret] = tokenSetting(stock.env) ? (stock.env.SUBGRAPH_SECRET ?? '').split(',') : [];
  const { address } = secret ? stock : gateway;
  const graph = { url: `${address}/graphql`, headers: secret ? await identify(secret.trim()) : {} };
  const { stocks } = await request<{ stocks: { nodes: unknown[] } }>(graph, IS_EMPTY, {});
  if (stocks.nodes.length > 0) return 0;
  for (const input of STOCKS) await request(graph, ADD, { input });
  return STOCKS.length;
}

async function identify(secret: string): Promise<Record<string, string>> {
  // A start without tokens does not need this package, which takes 50 ms to load.
  const { encodeIdentity, IDENTITY_HEADER, SECRET_HEADER } = await import('@gudang/auth');
  const identity = encodeIdentity({ subject: SUBJECT, scopes: ['stock:write'] });
  return { [SECRET_HEADER]: secret, [IDENTITY_HEADER]: identity };
}

interface Graph {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

async function request<T>({ url, headers }: Graph, query: string, variables: object): Promise<T> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query, variables }),
    signal: AbortSignal.timeout(10_000),
  });
  const { data, errors } = (await response.json()) as {
    data?: T;
    errors?: { message: string }[];
  };
  if (errors?.[0] || !data) throw new Error(errors?.[0]?.message ?? `status ${response.status}`);
  return data;
}
