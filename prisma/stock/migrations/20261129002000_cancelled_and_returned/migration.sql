-- Only the values: PostgreSQL cannot use a value in the transaction that adds it.
ALTER TYPE "decision_status" ADD VALUE 'CANCELLED';
ALTER TYPE "stock_change_kind" ADD VALUE 'RETURNED';
