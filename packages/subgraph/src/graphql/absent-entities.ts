import type { ApolloServerPlugin } from '@apollo/server';

/**
 * Says in an answer that an entity which it has as null is not there for whoever asks: then the gateway
 * shows null in its place also when only fields that may be null are asked for. Federation itself
 * would show an object of nulls.
 */
export const reportAbsentEntities: ApolloServerPlugin = {
  requestDidStart: async () => ({
    willSendResponse: async ({ response: { body } }) => {
      if (body.kind !== 'single') return;
      const entities: unknown = body.singleResult.data?.['_entities'];
      if (!Array.isArray(entities) || !entities.includes(null)) return;
      body.singleResult.extensions = {
        ...body.singleResult.extensions,
        gudang: { absentEntities: true },
      };
    },
  }),
};
