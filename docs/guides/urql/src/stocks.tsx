import type { ResultOf } from 'gql.tada';
import { useQuery, useSubscription } from 'urql';
import { graphql } from './graphql.ts';

const SIZE = 50;
const STOCKS = graphql(`query Stocks($first: Int!) {
  cursor: stockCursor
  stocks(first: $first) { nodes { id name quantity version createdAt } }
}`);
const STOCK_CHANGED = graphql(`subscription StockChanged($after: String) {
  stockChanged(after: $after) { kind stock { id name quantity version createdAt } }
}`);

type Change = ResultOf<typeof STOCK_CHANGED>['stockChanged'];
type Stock = Change['stock'];
/** The last change of each stock. */
type Changes = ReadonlyMap<string, Change>;

export function Stocks() {
  const [{ data, error }] = useQuery({
    query: STOCKS,
    variables: { first: SIZE },
    requestPolicy: 'network-only',
  });
  const [{ data: changes }] = useSubscription(
    { query: STOCK_CHANGED, variables: { after: data?.cursor }, pause: !data },
    (known: Changes = new Map(), { stockChanged }) =>
      new Map(known).set(stockChanged.stock.id, stockChanged),
  );
  return (
    <>
      {error && <p role="alert">{error.message}</p>}
      <ul>
        {merge(data?.stocks.nodes ?? [], changes).map(({ id, name, quantity }) => (
          <li key={id}>
            {name}: {quantity}
          </li>
        ))}
      </ul>
    </>
  );
}

/**
 * Returns the newest stocks of the list and the changes. Of two states of a stock, the one with the higher version is
 * the newer one.
 */
function merge(list: readonly Stock[], changes: Changes = new Map()): Stock[] {
  const listed = new Map(list.map((stock) => [stock.id, stock]));
  const added = [...changes.values()].map(({ stock }) => stock).filter(({ id }) => !listed.has(id));
  const present = [...list, ...added].flatMap((stock) => {
    const change = changes.get(stock.id);
    if (!change || change.stock.version < stock.version) return [stock];
    return change.kind === 'DELETED' ? [] : [change.stock];
  });
  return present.sort((a, b) => b.createdAt.localeCompare(a.createdAt)).slice(0, SIZE);
}
