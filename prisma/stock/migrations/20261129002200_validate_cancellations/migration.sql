-- Contract: constraint movements: movements_order_check (kind order_id), it is only validated
-- Contract: constraint decisions: decisions_cancelled_check (status cancelled_at), it is only validated

ALTER TABLE "decisions" VALIDATE CONSTRAINT "decisions_cancelled_check";
ALTER TABLE "movements" VALIDATE CONSTRAINT "movements_order_check";
