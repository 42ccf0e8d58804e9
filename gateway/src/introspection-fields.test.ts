import { operationFromDocument } from '@apollo/federation-internals';
import { QueryPlanner } from '@apollo/query-planner';
import { getIntrospectionQuery, parse, specifiedRules, validate } from 'graphql';
import { expect, it } from 'vitest';
import { loadSupergraph } from './supergraph.ts';

/** Everything that introspection of the installed graphql-js offers. */
const INTROSPECTIONS = {
  'the schema': getIntrospectionQuery({
    descriptions: true,
    specifiedByUrl: true,
    directiveIsRepeatable: true,
    schemaDescription: true,
    inputValueDeprecation: true,
    oneOf: true,
  }),
  'deprecated directives':
    '{ __schema { directives(includeDeprecated: true) { isDeprecated deprecationReason } } }',
};

it.each(Object.entries(INTROSPECTIONS))('plans an introspection of %s', async (_name, text) => {
  const { schema, apiSchema, model } = await loadSupergraph();
  const document = parse(text);
  expect(validate(schema, document, specifiedRules)).toEqual([]);
  const operation = operationFromDocument(apiSchema, document);
  expect(new QueryPlanner(model).buildQueryPlan(operation).node).toBeUndefined();
});
