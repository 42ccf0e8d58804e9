import { readFileSync } from 'node:fs';
import { buildSchema, parse, validate } from 'graphql';
import { expect, test } from 'vitest';
import * as operations from './operations.ts';

const schema = buildSchema(
  readFileSync(new URL('../../../supergraph.graphql', import.meta.url), 'utf8'),
  { assumeValid: true },
);

test.each(Object.entries(operations))('%s is valid for the graph', (_name, operation) => {
  expect(validate(schema, parse(operation)).map(({ message }) => message)).toEqual([]);
});
