-- Contract: constraint movements: movements_check (kind order_id), movements_order_check replaces it
-- Contract: constraint movements: movements_order_check (kind order_id), the previous release writes ids of orders only with ORDERED
-- Contract: constraint decisions: decisions_cancelled_check (status cancelled_at), the previous release cancels no order

-- All columns are null in the rows that the earlier release writes during an upgrade.
ALTER TABLE "decisions"
  -- The stock's version after it lost the order's quantity. Null if nothing was taken, and in rows of the
  -- earlier release, whose ledger entry has the version.
  ADD COLUMN "stock_version" INTEGER,
  ADD COLUMN "cancelled_at" TIMESTAMPTZ(3),
  -- The last request to cancel that was refused: when it was refused, and its own time.
  ADD COLUMN "cancel_refused_at" TIMESTAMPTZ(3),
  ADD COLUMN "cancel_requested_at" TIMESTAMPTZ(3);

-- The next migration validates the existing rows, without blocking writes.
ALTER TABLE "decisions"
  ADD CONSTRAINT "decisions_cancelled_check"
    CHECK (("status" = 'CANCELLED') = ("cancelled_at" IS NOT NULL)) NOT VALID;
ALTER TABLE "movements"
  DROP CONSTRAINT "movements_check",
  ADD CONSTRAINT "movements_order_check"
    CHECK (("kind" IN ('ORDERED', 'RETURNED')) = ("order_id" IS NOT NULL)) NOT VALID;
