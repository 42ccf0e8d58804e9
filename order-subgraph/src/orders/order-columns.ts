import { Prisma } from '../generated/prisma/client.ts';

/** The columns of an order under the names of `OrderState`, for hand-written SELECTs. */
export const ORDER_COLUMNS = Prisma.raw(`
  id, owner, product_id AS "productId", quantity, status::text AS status,
  rejection_reason::text AS "rejectionReason", created_at AS "createdAt", decided_at AS "decidedAt"`);
