export { ORDER_QUANTITY, PRODUCT_ID_LENGTH, STOCK_QUANTITY } from './limits.ts';
export {
  decodeOrderCancelled,
  encodeOrderCancelled,
  type OrderCancelled,
} from './order-cancelled.ts';
export {
  decodeOrderChanged,
  encodeOrderChanged,
  type OrderChanged,
  type OrderState,
  type OrderStatus,
} from './order-changed.ts';
export { decodeOrderCreated, encodeOrderCreated, type OrderCreated } from './order-created.ts';
export {
  type CancelRefusal,
  type DecisionStatus,
  decodeOrderDecided,
  encodeOrderDecided,
  type OrderDecided,
  type RejectionReason,
} from './order-decided.ts';
export {
  decodeStockChanged,
  encodeStockChanged,
  type StockChanged,
  type StockChangeKind,
  type StockState,
} from './stock-changed.ts';
export {
  ORDER_CANCELLED,
  ORDER_CHANGED,
  ORDER_CREATED,
  ORDER_DECIDED,
  ORDER_SUBJECT,
  SHARED_TOPICS,
  STOCK_CHANGED,
} from './topics.ts';
