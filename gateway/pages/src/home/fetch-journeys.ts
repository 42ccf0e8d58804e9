import { sendOperation } from '../graph/send-operation.ts';
import { tokenToSend } from '../graph/session-token.ts';
import type { Journeys } from './journeys.ts';

const TIMEOUT_MS = 5_000;

/**
 * Fetches the journeys of the newest orders.
 * @returns undefined if they are not available now; `sign in` if the caller must sign in to see them
 */
export async function fetchJourneys(): Promise<Journeys | 'sign in' | undefined> {
  const token = tokenToSend();
  try {
    const response = await fetch('/journeys', {
      headers: token === null ? {} : { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (response.status === 401 || response.status === 403) return 'sign in';
    return response.ok ? ((await response.json()) as Journeys) : undefined;
  } catch {
    return undefined;
  }
}

interface OrdersData {
  readonly orders: {
    readonly nodes: readonly {
      readonly id: string;
      readonly productId: string;
      readonly quantity: number;
      readonly stock: { readonly name: string } | null;
    }[];
  } | null;
}

const number = new Intl.NumberFormat();
const names = new Map<string, string>();
/** Maximum number of names that are kept. */
const MAX_NAMES = 500;

/**
 * Describes orders, such as `3 × Kopi Gayo`. An order that the caller may not see is described by its
 * id.
 */
export async function describeOrders(ids: readonly string[]): Promise<(id: string) => string> {
  if (ids.some((id) => !names.has(id))) {
    if (names.size > MAX_NAMES) names.clear();
    for (const id of ids) if (!names.has(id)) names.set(id, `Order ${id.slice(0, 8)}`);
    const query = '{ orders(first: 50) { nodes { id productId quantity stock { name } } } }';
    const { data } = await sendOperation<OrdersData>(query).catch(() => ({ data: null }));
    for (const { id, quantity, productId, stock } of data?.orders?.nodes ?? []) {
      names.set(id, `${number.format(quantity)} × ${stock?.name ?? productId}`);
    }
  }
  return (id) => names.get(id) ?? id;
}
