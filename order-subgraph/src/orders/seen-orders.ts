import { hasScope, type Identity } from '@gudang/auth';
import type { OrderState } from '@gudang/events';

/** Whose orders somebody sees: those of everybody, or of one owner; undefined: of nobody. */
export type SeenOrders = 'all' | { readonly owner: string | undefined };

/** An order that belongs to nobody is seen by those alone who see everybody's. */
export function seenBy(identity: Identity): SeenOrders {
  return hasScope(identity, 'order:read:all') ? 'all' : { owner: identity.subject };
}

export function isSeen(seen: SeenOrders, { owner }: Pick<OrderState, 'owner'>): boolean {
  return seen === 'all' || (seen.owner !== undefined && seen.owner !== '' && seen.owner === owner);
}
