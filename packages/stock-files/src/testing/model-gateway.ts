import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

interface Item {
  readonly id?: string;
  readonly name?: string;
  readonly quantity?: number;
  readonly delta?: number;
}
type Result = { readonly error: { code: string; message: string } | null };

/** The way in which the gateway answers the next request. */
export type Behavior =
  /** Applies the mutation and answers. */
  | 'answer'
  /** Applies the mutation, but the answer is lost. */
  | 'lose'
  /** Refuses the request with 503 and `Retry-After: 0`. */
  | 'overloaded'
  /** Closes the connection before the mutation is applied. */
  | 'close';

/** A gateway that keeps its stocks in memory, with idempotency keys, for tests of files. */
export interface ModelGateway {
  readonly url: string;
  readonly stocks: ReadonlyMap<string, { name: string; quantity: number }>;
  /** Number of mutations that were applied; a repeated key does not count. */
  readonly applied: () => number;
  /** Headers of the last request. */
  readonly headers: () => Readonly<Record<string, unknown>>;
  readonly close: () => Promise<void>;
}

/** @param next chooses the behavior for each request */
export async function startModelGateway(
  next: () => Behavior = () => 'answer',
): Promise<ModelGateway> {
  const stocks = new Map<string, { name: string; quantity: number }>();
  const keys = new Map<string, { inputs: string; results: readonly Result[] }>();
  let applied = 0;
  let headers: Readonly<Record<string, unknown>> = {};

  const mutate = (field: string, inputs: readonly Item[], key: string): readonly Result[] => {
    const known = keys.get(`${field} ${key}`);
    const text = JSON.stringify(inputs);
    if (known && known.inputs !== text) throw new Error('IDEMPOTENCY_CONFLICT');
    if (known) return known.results;
    applied += 1;
    const results = inputs.map((input) => ({ error: APPLY[field]?.(stocks, input) ?? null }));
    keys.set(`${field} ${key}`, { inputs: text, results });
    return results;
  };

  const server = createServer(async (request, response) => {
    headers = request.headers;
    const behavior = next();
    if (behavior === 'close') return void request.socket.destroy();
    let body = '';
    for await (const chunk of request) body += chunk;
    if (behavior === 'overloaded') {
      const errors = [
        { message: 'Try later.', extensions: { code: 'OVERLOADED', retryable: true } },
      ];
      response.writeHead(503, { 'retry-after': '0' }).end(JSON.stringify({ errors }));
      return;
    }
    const { query, variables } = JSON.parse(body);
    const [, field] = /(addStocks|updateStocks|adjustStocks)\(/.exec(query) ?? [];
    const data = field
      ? { results: mutate(field, variables.inputs, variables.key) }
      : { stocks: pageOf(stocks, variables.after) };
    if (behavior === 'lose') return void request.socket.destroy();
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ data }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`,
    stocks,
    applied: () => applied,
    headers: () => headers,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

type Stocks = Map<string, { name: string; quantity: number }>;
const failure = (code: string) => ({ code, message: `${code}.` });

const APPLY: Readonly<Record<string, (stocks: Stocks, input: Item) => Result['error']>> = {
  addStocks: (stocks, { id = `generated-${stocks.size}`, name = '', quantity = 0 }) => {
    if (stocks.has(id)) return failure('ALREADY_EXISTS');
    stocks.set(id, { name, quantity });
    return null;
  },
  updateStocks: (stocks, { id = '', ...changes }) => {
    const stock = stocks.get(id);
    if (!stock) return failure('NOT_FOUND');
    stocks.set(id, { ...stock, ...changes });
    return null;
  },
  adjustStocks: (stocks, { id = '', delta = 0 }) => {
    const stock = stocks.get(id);
    if (!stock) return failure('NOT_FOUND');
    if (stock.quantity + delta < 0) return failure('BAD_USER_INPUT');
    stocks.set(id, { ...stock, quantity: stock.quantity + delta });
    return null;
  },
};

/** Pages have two stocks, so that a few stocks are several pages. */
function pageOf(stocks: Stocks, after: string | null) {
  const all = [...stocks].map(([id, stock]) => ({ id, ...stock, version: 1 }));
  const begin = after === null ? 0 : Number(after);
  const hasNextPage = begin + 2 < all.length;
  return {
    nodes: all.slice(begin, begin + 2),
    pageInfo: { hasNextPage, endCursor: String(begin + 2) },
  };
}
