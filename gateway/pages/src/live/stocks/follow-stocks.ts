import type { ClientError, LiveClient, SnapshotMarker } from '@gudang/client';
import { send } from '../../graph/graph-client.ts';
import { type GraphError, isUnknownField } from '../../graph/graph-errors.ts';
import {
  STOCK_CHANGED,
  STOCKS_QUERY,
  type StockChangedData,
  type StocksData,
} from '../operations.ts';
import type { StockChange } from './change-batch.ts';

type Page = StocksData['stocks']['nodes'];

const RETRY_MS = 1_500;

interface Options {
  readonly client: LiveClient;
  readonly onPage: (page: Page) => void;
  readonly onChange: (change: StockChange) => void;
  /** Gets the markers of snapshots, in order with the changes. */
  readonly onMarker: (marker: SnapshotMarker['snapshot']) => void;
  /** Gets the errors of a page that failed. */
  readonly onErrors: (errors: readonly GraphError[]) => void;
}

/**
 * Queries all stocks page by page, and subscribes to their changes from the cursor that the first
 * page returned. Retries a page until it is answered.
 * @returns false if this graph has no stocks
 */
export async function followStocks(options: Options): Promise<boolean> {
  let isSubscribed = false;
  let after: string | null = null;
  for (;;) {
    const { data, errors } = await queryPage(options.client, after);
    if (errors.some(isUnknownField)) return false;
    if (!data) {
      options.onErrors(errors);
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      continue;
    }
    options.onPage(data.stocks.nodes);
    if (!isSubscribed) subscribe(options, data.stockCursor);
    isSubscribed = true;
    if (!data.stocks.pageInfo.hasNextPage) return true;
    after = data.stocks.pageInfo.endCursor;
  }
}

function queryPage(client: LiveClient, after: string | null): ReturnType<typeof send<StocksData>> {
  // The error is dropped, because the connection's state already says that the gateway does not
  // answer.
  return send<StocksData>(client, STOCKS_QUERY, { after }).catch((_error: ClientError) => ({
    data: null,
    errors: [],
  }));
}

function subscribe(options: Options, after: string): void {
  // If the server ends the stream, the page reads all stocks again, because it may have missed changes.
  const startAgain = (): void => {
    setTimeout(() => void readAgain(options), RETRY_MS);
  };
  options.client.subscribe<StockChangedData>(STOCK_CHANGED, null, {
    after,
    next: ({ data, snapshot }) => {
      if (snapshot) options.onMarker(snapshot);
      else if (data) options.onChange(data.stockChanged);
    },
    error: startAgain,
    complete: startAgain,
  });
}

/** Reads all stocks as a snapshot, so that those disappear that no longer exist. */
async function readAgain(options: Options): Promise<void> {
  options.onMarker({ phase: 'begin', complete: true, reset: true });
  await followStocks(options);
  options.onMarker({ phase: 'end', complete: true, reset: false });
}
