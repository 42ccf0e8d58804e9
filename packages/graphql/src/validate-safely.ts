import { GraphQLError, type validate as graphqlValidate, validate } from 'graphql';

/**
 * `validate` of graphql-js, but it never throws. The SingleFieldSubscriptionsRule of graphql-js 16.15
 * throws, instead of returning an error, for a subscription whose root field has `@skip` or `@include`
 * with a variable.
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
