import { ask } from '../../graph/send-operation.ts';
import { type GraphError, isUnknownField } from '../../graph/graph-errors.ts';
import { STOCKS_QUERY, type StocksData } from '../operations.ts';

type Page = StocksData['stocks']['nodes'];

const AGAIN_MS = 1_500;

/**
 * Reads all stocks, page by page, however often the graph is away meanwhile.
 * @param onPage gets each page, with the position of the change stream before the first was read
 * @param onErrors what kept a page away; it is asked for again
 * @returns false when this graph has no stocks
 */
export async function loadStocks(
  onPage: (page: Page, cursor: string) => void,
  onErrors: (errors: readonly GraphError[]) => void,
): Promise<boolean> {
  let after: string | null = null;
  let cursor: string | undefined;
  for (;;) {
    const { data, errors } = await answerOf(after);
    if (errors.some(isUnknownField)) return false;
    if (!data) {
      onErrors(errors);
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      continue;
    }
    cursor ??= data.stockCursor;
    onPage(data.stocks.nodes, cursor);
    if (!data.stocks.pageInfo.hasNextPage) return true;
    after = data.stocks.pageInfo.endCursor;
  }
}

function answerOf(after: string | null): ReturnType<typeof ask<StocksData>> {
  // No answer is shown by the connection already.
  return ask<StocksData>(STOCKS_QUERY, { after }).catch(() => ({ data: null, errors: [] }));
}
