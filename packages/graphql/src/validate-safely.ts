import { GraphQLError, type validate as graphqlValidate, validate } from 'graphql';

/**
 * graphql-js 16.15's SingleFieldSubscriptionsRule throws, instead of returning an error, on a
 * subscription whose root field has `@skip` or `@include` by variable.
 */
export const validateSafely: typeof graphqlValidate = (...args) => {
  try {
    return validate(...args);
  } catch (error) {
    return [
      error instanceof GraphQLError
        ? error
        : new GraphQLError('A subscription has one root field, without @skip or @include', {
            extensions: { code: 'GRAPHQL_VALIDATION_FAILED' },
          }),
    ];
  }
};
