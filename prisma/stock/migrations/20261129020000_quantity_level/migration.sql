-- Contract: trigger stocks: stocks_set_quantity_level, it sets only a column that the previous release does not know
-- Contract: trigger stocks: stocks_change_quantity_level, it sets only a column that the previous release does not know

-- The square root of the quantity, rounded down, for an index. An index on the quantity itself would make every
-- order write all indexes of its stock again, the one of the search included. A level changes only when the
-- quantity crosses a square number, which 8 % of the orders of one unit do if the quantities are below 200, and
-- almost none above 10,000. Triggers instead of a generated column, because adding such a column rewrites the table
-- and all indexes: with 200,000 stocks, no statement could use the table for 13 seconds.
ALTER TABLE "stocks" ADD COLUMN "quantity_level" INTEGER;

CREATE FUNCTION "set_quantity_level"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  -- greatest: a check of the table refuses a negative quantity, and its error names the reason.
  NEW.quantity_level := floor(sqrt(greatest(NEW.quantity, 0)));
  RETURN NEW;
END $$;

CREATE TRIGGER "stocks_set_quantity_level" BEFORE INSERT ON "stocks"
  FOR EACH ROW EXECUTE FUNCTION "set_quantity_level"();

CREATE TRIGGER "stocks_change_quantity_level" BEFORE UPDATE OF "quantity" ON "stocks"
  FOR EACH ROW WHEN (NEW."quantity_level" IS DISTINCT FROM floor(sqrt(greatest(NEW."quantity", 0)))::integer)
  EXECUTE FUNCTION "set_quantity_level"();
