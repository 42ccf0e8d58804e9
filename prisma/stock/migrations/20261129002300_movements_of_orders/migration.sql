-- Contract: unique index movements: movements_order_id_kind_idx (kind order_id), an order takes its quantity once

-- An order takes its quantity at most once and returns it at most once, whatever the code does.
CREATE UNIQUE INDEX CONCURRENTLY "movements_order_id_kind_idx"
  ON "movements" ("order_id", "kind") WHERE "order_id" IS NOT NULL;
