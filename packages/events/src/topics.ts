/** Topic names, without KAFKA_TOPIC_PREFIX. */
export const ORDER_CREATED = 'order_created';
export const ORDER_DECIDED = 'order_decided';
export const ORDER_CHANGED = 'order_changed';
export const STOCK_CHANGED = 'stock_changed';

/** The topics between the services. Either service creates them. */
export const SHARED_TOPICS: readonly string[] = [ORDER_CREATED, ORDER_DECIDED];

/** Names an order in log lines and spans of the consumers. */
export const ORDER_SUBJECT = { logField: 'orderId', attribute: 'gudang.order_id' } as const;
