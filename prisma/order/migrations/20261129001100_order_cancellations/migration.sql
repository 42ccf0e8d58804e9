-- Contract: trigger orders: orders_keep_final_status, the previous release makes no move that it refuses
-- Contract: trigger orders: orders_count_status_moves, it sets only columns that the previous release does not know
-- Contract: constraint orders: orders_cancelled_at_check (status cancelled_at), the previous release cancels no order

-- The defaults for existing rows rewrite nothing. An order that was decided before has version 2, and the
-- time of its last change is unknown but earlier than every cursor of a stream of orders.
ALTER TABLE "orders"
  ADD COLUMN "version" INTEGER NOT NULL DEFAULT 2,
  ADD COLUMN "changed_at" TIMESTAMPTZ(3) NOT NULL DEFAULT '1970-01-01 00:00:00+00',
  ADD COLUMN "cancel_requested_at" TIMESTAMPTZ(3),
  ADD COLUMN "cancel_reason" TEXT,
  ADD COLUMN "cancelled_at" TIMESTAMPTZ(3);
ALTER TABLE "orders"
  ALTER COLUMN "version" SET DEFAULT 1,
  ALTER COLUMN "changed_at" SET DEFAULT now();

-- The change of an order that is not published yet will be later than the first cursors.
UPDATE "orders" SET
  "version" = CASE "status" WHEN 'PENDING' THEN 1 ELSE 2 END,
  "changed_at" = now()
WHERE "status" = 'PENDING' OR "id" IN (
  SELECT convert_from("key", 'UTF8')::uuid FROM "outbox" WHERE "topic" = 'order_changed');

-- NOT VALID: every existing row satisfies these constraints, so reading the whole table is not necessary.
ALTER TABLE "orders"
  ADD CONSTRAINT "orders_version_check" CHECK ("version" >= 1) NOT VALID,
  ADD CONSTRAINT "orders_cancel_reason_check"
    CHECK (char_length("cancel_reason") BETWEEN 1 AND 255) NOT VALID,
  ADD CONSTRAINT "orders_cancel_requested_check"
    CHECK ("cancel_reason" IS NULL OR "cancel_requested_at" IS NOT NULL) NOT VALID,
  ADD CONSTRAINT "orders_cancelled_at_check"
    CHECK (("status" = 'CANCELLED') = ("cancelled_at" IS NOT NULL)) NOT VALID;

-- The allowed moves: PENDING to any status, and CONFIRMED to CANCELLED.
CREATE OR REPLACE TRIGGER "orders_keep_final_status" BEFORE UPDATE OF "status" ON "orders"
  FOR EACH ROW WHEN (NEW."status" <> OLD."status" AND OLD."status" <> 'PENDING'
    AND NOT (OLD."status" = 'CONFIRMED' AND NEW."status" = 'CANCELLED'))
  EXECUTE FUNCTION "keep_final_status"();

-- Counts a move of the status that was written without a version, as the previous release does.
CREATE FUNCTION "count_status_move"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.version := OLD.version + 1;
  NEW.changed_at := now();
  RETURN NEW;
END $$;
CREATE TRIGGER "orders_count_status_moves" BEFORE UPDATE OF "status" ON "orders"
  FOR EACH ROW WHEN (NEW."status" <> OLD."status" AND NEW."version" = OLD."version")
  EXECUTE FUNCTION "count_status_move"();
