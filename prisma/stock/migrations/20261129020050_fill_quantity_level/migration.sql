-- The levels of the existing stocks, in a transaction for each 1,000 of them. The rows are locked in the order of
-- the services, so that no deadlock is possible.
DO $$
DECLARE
  batch TEXT[];
BEGIN
  batch := ARRAY(SELECT "id" FROM "stocks" ORDER BY "id" LIMIT 1000);
  WHILE cardinality(batch) > 0 LOOP
    PERFORM FROM "stocks" WHERE "id" = ANY(batch) ORDER BY "id" COLLATE "C" FOR UPDATE;
    UPDATE "stocks" SET "quantity_level" = floor(sqrt("quantity"))
      WHERE "id" = ANY(batch) AND "quantity_level" IS NULL;
    COMMIT;
    batch := ARRAY(
      SELECT "id" FROM "stocks" WHERE "id" > batch[cardinality(batch)] ORDER BY "id" LIMIT 1000);
  END LOOP;
END $$;
