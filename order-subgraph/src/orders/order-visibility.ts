import { hasScope, type Identity } from '@gudang/auth';
import type { OrderState } from '@gudang/events';

/**
 * The orders that a caller may see: all orders, or the orders of one owner. An undefined owner has no
 * orders.
 */
export type OrderVisibility = 'all' | { readonly owner: string | undefined };

/**
 * Returns the orders that a caller may see. Orders without an owner are visible only to callers that may
 * see all orders.
 */
export function visibilityOf(identity: Identity): OrderVisibility {
  return hasScope(identity, 'order:read:all') ? 'all' : { owner: identity.subject };
}

export function isVisible(
  visibility: OrderVisibility,
  { owner }: Pick<OrderState, 'owner'>,
): boolean {
  if (visibility === 'all') return true;
  return owner !== '' && visibility.owner === owner;
}

/** Whether the caller owns an order. If authentication is disabled, every caller owns every order. */
export function isOwner({ subject, unrestricted }: Identity, owner: string): boolean {
  return unrestricted === true || (owner !== '' && subject === owner);
}
