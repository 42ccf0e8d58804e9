/** The topics of this system, before any prefix. */
export const ORDER_CREATED = 'order_created';
export const ORDER_DECIDED = 'order_decided';
export const ORDER_CHANGED = 'order_changed';
export const STOCK_CHANGED = 'stock_changed';
