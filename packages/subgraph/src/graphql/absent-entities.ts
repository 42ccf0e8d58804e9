import type { ApolloServerPlugin } from '@apollo/server';

const ABSENT = { gudang: { absentEntities: true } } as const;

/**
 * Returns the mark of a response whose `_entities` contains null. Null means that the entity does not exist
 * or is not visible to the caller. Because of the mark, the gateway returns null for this entity. Without
 * the mark, federation would return an object of nulls if all selected fields are nullable.
 */
export function absentEntitiesIn(
  data: Readonly<Record<string, unknown>> | null | undefined,
): typeof ABSENT | undefined {
  const entities = data?.['_entities'];
  return Array.isArray(entities) && entities.includes(null) ? ABSENT : undefined;
}

/** Marks the responses of Apollo Server. */
export const reportAbsentEntities: ApolloServerPlugin = {
  requestDidStart: async () => ({
    willSendResponse: async ({ response: { body } }) => {
      if (body.kind !== 'single') return;
      const absent = absentEntitiesIn(body.singleResult.data);
      if (absent) body.singleResult.extensions = { ...body.singleResult.extensions, ...absent };
    },
  }),
};
