import type { OrderState } from '@gudang/events';
import type { OrderVisibility } from '../orders/order-visibility.ts';

/** Letters in the cursors of the stream of orders, which cursors of stocks do not have. */
export const ORDER_STREAM = 'o';

type Watched = Pick<OrderState, 'owner' | 'productId'>;

/**
 * Returns the keys, besides the order's id, by which a change of an order can be watched, so that a change
 * costs the same however many other owners and products are watched. An order's id is a UUID, so it differs
 * from these keys.
 */
export function watchKeysOf({ owner, productId }: Watched): readonly string[] {
  const ofProduct = keyOf({ productId });
  return owner === '' ? [ofProduct] : [ofProduct, keyOf({ owner }), keyOf({ owner, productId })];
}

/** Returns the keys of the changes that a stream watches; undefined for the changes of all orders. */
export function watchedKeys(
  visibility: OrderVisibility,
  productId: string | undefined,
): readonly string[] | undefined {
  if (visibility !== 'all') return [keyOf({ owner: visibility.owner ?? '', productId })];
  return productId === undefined ? undefined : [keyOf({ productId })];
}

/** JSON, because owners and product ids may contain any separator. */
function keyOf({ owner, productId }: { owner?: string; productId?: string | undefined }): string {
  return JSON.stringify([owner ?? null, productId ?? null]);
}
