import { type GraphError, isUnknownField } from '../../graph/graph-errors.ts';
import { sendOperation } from '../../graph/send-operation.ts';
import type { ReconnectingClient } from '../connection/reconnecting-client.ts';
import {
  STOCK_CHANGED,
  STOCKS_QUERY,
  type StockChangedData,
  type StocksData,
} from '../operations.ts';
import type { StockChange } from './change-batch.ts';

type Page = StocksData['stocks']['nodes'];

const RETRY_MS = 1_500;

/**
 * Queries all stocks page by page, and subscribes to their changes from the cursor that the first
 * page returned. Retries a page until it is answered.
 * @param onErrors gets the errors of a page that failed
 * @returns false if this graph has no stocks
 */
export async function followStocks({
  client,
  onPage,
  onChange,
  onErrors,
}: {
  client: ReconnectingClient;
  onPage: (page: Page) => void;
  onChange: (change: StockChange) => void;
  onErrors: (errors: readonly GraphError[]) => void;
}): Promise<boolean> {
  let isSubscribed = false;
  let after: string | null = null;
  for (;;) {
    const { data, errors } = await queryPage(after);
    if (errors.some(isUnknownField)) return false;
    if (!data) {
      onErrors(errors);
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      continue;
    }
    onPage(data.stocks.nodes);
    if (!isSubscribed) subscribe(client, data.stockCursor, onChange);
    isSubscribed = true;
    if (!data.stocks.pageInfo.hasNextPage) return true;
    after = data.stocks.pageInfo.endCursor;
  }
}

function queryPage(after: string | null): ReturnType<typeof sendOperation<StocksData>> {
  // The error is dropped, because the connection's state already says that the gateway does not
  // answer.
  return sendOperation<StocksData>(STOCKS_QUERY, { after }).catch(() => ({
    data: null,
    errors: [],
  }));
}

/** Each new connection resumes from the cursor of the last change. */
function subscribe(
  client: ReconnectingClient,
  from: string,
  onChange: (change: StockChange) => void,
): void {
  let cursor = from;
  client.subscribe<StockChangedData>(
    STOCK_CHANGED,
    () => ({ after: cursor }),
    ({ stockChanged }) => {
      cursor = stockChanged.cursor;
      onChange(stockChanged);
    },
  );
}
