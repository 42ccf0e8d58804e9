import { GraphQLError, type validate as graphqlValidate, validate } from 'graphql';
import { MAX_ERRORS } from './error-limits.ts';

/**
 * `validate` of graphql-js, but it reports at most 20 errors, and one about the limit. It never throws. The SingleFieldSubscriptionsRule of graphql-js 16.15
 * throws, instead of returning an error, for a subscription whose root field has `@skip` or `@include`
 * with a variable.
 */
export const validateSafely: typeof graphqlValidate = (schema, document, rules, options) => {
  try {
    return validate(schema, document, rules, { maxErrors: MAX_ERRORS, ...options });
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
