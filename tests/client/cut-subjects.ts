import { signToken } from '@gudang/auth/testing';
import { createClient, type LiveClient, type LiveList, liveList } from '@gudang/client';
import { createRandom, seedOf } from '@gudang/testing/random';
import { WebSocket } from 'ws';
import { type CuttingProxy, startCuttingProxy } from './cutting-proxy.ts';
import { MultipartSubscriber } from './multipart-subscriber.ts';
import { type StockChanged, StreamChecker } from './stream-checker.ts';

export const PROTOCOLS = ['websocket', 'sse', 'multipart'] as const;
export type Protocol = (typeof PROTOCOLS)[number];

/** A stock as the lists show it. */
export interface ListedStock {
  readonly id: string;
  readonly name: string;
  readonly quantity: number;
  readonly version: number;
}

/** The clients of one protocol, behind a proxy that cuts their connections. */
export interface CutSubjects {
  readonly protocol: Protocol;
  readonly proxy: CuttingProxy;
  readonly checkers: readonly StreamChecker[];
  /** Absent for multipart, which the client does not speak. */
  readonly list: LiveList<ListedStock> | undefined;
  /** Errors that an app would see. */
  readonly errors: string[];
  /** Number of tokens that were signed because the last one had been refused or had expired. */
  readonly refusedTokens: () => number;
  /** The state of each connection. */
  readonly states: () => readonly string[];
  readonly stop: () => Promise<void>;
}

interface SubjectOptions {
  readonly protocol: Protocol;
  /** Port of the gateway. */
  readonly port: number;
  /** Number of clients beside the one with the list. */
  readonly clients: number;
  /** Cursor from before the first stock. */
  readonly after: string;
  readonly meanBytes: number;
  /** Lifetime of the tokens, in seconds. */
  readonly tokenSeconds: number;
  readonly seed: number;
}

const CHANGES = 'subscription { stockChanged { kind stock { id version } } }';
const FIELDS = 'id name quantity version';
const PAGE = `query ($after: String) { stockCursor
  stocks(first: 7, after: $after, sort: NAME_ASC) { nodes { ${FIELDS} } pageInfo { endCursor hasNextPage } } }`;
const LIST_CHANGES = `subscription { stockChanged { kind stock { ${FIELDS} } } }`;

/** Starts the clients of a protocol, each with a connection of its own. */
export async function startCutSubjects(options: SubjectOptions): Promise<CutSubjects> {
  const { protocol, port, clients: count, after, meanBytes, tokenSeconds, seed } = options;
  const random = createRandom(seedOf(seed, protocol));
  const proxy = await startCuttingProxy({ port, meanBytes, random });
  const errors: string[] = [];
  const checkers: StreamChecker[] = [];
  const clients: LiveClient[] = [];
  const multipart: MultipartSubscriber<StockChanged>[] = [];
  let refused = 0;

  /** Each client is another caller, because the events that one caller replays are limited. */
  const signerOf = (index: number) => (): Promise<string> =>
    signToken({ sub: `${protocol} ${index}` }, { expiresIn: tokenSeconds });
  /** @param refreshes whether the token is renewed before it expires, instead of afterwards */
  const connect = (index: number, refreshes = index % 2 === 0): LiveClient => {
    const sign = signerOf(index);
    const client = createClient({
      url: `${proxy.url}/graphql`,
      transport: protocol === 'sse' ? 'sse' : 'websocket',
      webSocketImpl: WebSocket,
      maxRetryDelay: 500,
      refreshTokenBefore: refreshes ? 1_000 : 0,
      token: (reason) => {
        if (reason === 'refused') refused += 1;
        return sign();
      },
    });
    client.onState((state, reason) => {
      if (state === 'refused') errors.push(`refused: ${reason?.message}`);
    });
    clients.push(client);
    return client;
  };
  for (let index = 0; index < count; index += 1) {
    const checker = new StreamChecker();
    checkers.push(checker);
    const { receive } = checker;
    if (protocol === 'multipart') {
      const onError = (all: readonly unknown[]): void => void errors.push(JSON.stringify(all));
      const token = signerOf(index);
      multipart.push(
        new MultipartSubscriber({ url: proxy.url, query: CHANGES, after, token, receive, onError }),
      );
    } else {
      connect(index).subscribe<StockChanged>(CHANGES, null, {
        after,
        next: receive,
        error: (error) => void errors.push(`${error.code}: ${error.message}`),
        complete: () => void errors.push('the stream is complete'),
      });
    }
  }
  const list = protocol === 'multipart' ? undefined : listStocks(connect(count, true));
  list?.subscribe(() => {
    const { error } = list.get();
    if (error) errors.push(`list: ${error.code}: ${error.message}`);
  });
  return {
    protocol,
    proxy,
    checkers,
    list,
    errors,
    refusedTokens: () => refused,
    states: () =>
      clients.map(
        ({ state, stateReason }, index) => `client ${index}: ${state} ${stateReason ?? ''}`,
      ),
    stop: async () => {
      list?.close();
      for (const client of clients) client.close();
      await Promise.all(multipart.map((one) => one.close()));
      await proxy.stop();
    },
  };
}

interface ListPageData {
  readonly stockCursor: string;
  readonly stocks: {
    readonly nodes: readonly ListedStock[];
    readonly pageInfo: { readonly endCursor: string | null; readonly hasNextPage: boolean };
  };
}

interface ListEventData {
  readonly stockChanged: { readonly kind: string; readonly stock: ListedStock };
}

/** A list by name, as code units order it: the order of `NAME_ASC` for lower-case names. */
function listStocks(client: LiveClient): LiveList<ListedStock> {
  return liveList<ListedStock, ListPageData, object, ListEventData, object>(client, {
    query: PAGE,
    page: ({ stockCursor, stocks: { nodes, pageInfo } }) => ({
      items: nodes,
      cursor: stockCursor,
      endCursor: pageInfo.endCursor,
      hasNextPage: pageInfo.hasNextPage,
    }),
    subscription: LIST_CHANGES,
    event: ({ stockChanged: { kind, stock } }) => ({ item: stock, deleted: kind === 'DELETED' }),
    id: ({ id }) => id,
    version: ({ version }) => version,
    compare: (a, b) => compareTexts(a.name, b.name) || compareTexts(a.id, b.id),
  });
}

function compareTexts(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
