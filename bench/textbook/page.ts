/** Relay connection of a page of rows; the cursor is the row's id. */
export function connectionOf<Row extends { id: string }>(rows: readonly Row[], first: number) {
  const nodes = rows.slice(0, first);
  return {
    nodes,
    edges: nodes.map((node) => ({ cursor: node.id, node })),
    pageInfo: { endCursor: nodes.at(-1)?.id ?? null, hasNextPage: rows.length > first },
  };
}

/**
 * Prisma's options for a page, as in its documentation of cursor-based pagination. One row more than asked
 * for shows whether a next page exists.
 */
export function pageOptions(first: number, after?: string | null) {
  return {
    take: first + 1,
    ...(after ? { cursor: { id: after }, skip: 1 } : {}),
    orderBy: [{ createdAt: 'desc' as const }, { id: 'desc' as const }],
  };
}
