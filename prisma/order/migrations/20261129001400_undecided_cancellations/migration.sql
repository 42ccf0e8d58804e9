-- Cancellations that the stock service has not answered, for the reconciler. There are few, so the index
-- costs nothing for orders that are not cancelled.
CREATE INDEX CONCURRENTLY "orders_undecided_cancellations_idx" ON "orders" ("cancel_requested_at", "id")
  WHERE "cancel_requested_at" IS NOT NULL AND "status" IN ('PENDING', 'CONFIRMED');
