/** Topic names, without KAFKA_TOPIC_PREFIX. */
export const ORDER_CREATED = 'order_created';
export const ORDER_CANCELLED = 'order_cancelled';
export const ORDER_DECIDED = 'order_decided';
export const ORDER_CHANGED = 'order_changed';
export const STOCK_CHANGED = 'stock_changed';

/** Topics that both services use. The service that starts first creates them. */
export const SHARED_TOPICS: readonly string[] = [ORDER_CREATED, ORDER_CANCELLED, ORDER_DECIDED];

/** Names of the fields that contain the order's id in the consumers' log lines and spans. */
export const ORDER_SUBJECT = { logField: 'orderId', attribute: 'gudang.order_id' } as const;
