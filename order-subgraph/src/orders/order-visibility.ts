import { hasScope, type Identity } from '@gudang/auth';
import type { OrderState } from '@gudang/events';

/** Whose orders somebody sees: those of everybody, or of one owner; undefined: of nobody. */
export type OrderVisibility = 'all' | { readonly owner: string | undefined };

/** An order that belongs to nobody is seen by those alone who see everybody's. */
export function visibilityOf(identity: Identity): OrderVisibility {
  return hasScope(identity, 'order:read:all') ? 'all' : { owner: identity.subject };
}

export function isVisible(seen: OrderVisibility, { owner }: Pick<OrderState, 'owner'>): boolean {
  return seen === 'all' || (seen.owner !== undefined && seen.owner !== '' && seen.owner === owner);
}
