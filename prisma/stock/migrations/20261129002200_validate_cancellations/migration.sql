ALTER TABLE "decisions" VALIDATE CONSTRAINT "decisions_cancelled_check";
ALTER TABLE "movements" VALIDATE CONSTRAINT "movements_order_check";
