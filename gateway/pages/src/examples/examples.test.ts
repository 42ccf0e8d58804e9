import { readdirSync, readFileSync } from 'node:fs';
import { buildSchema, parse, validate } from 'graphql';
import { expect, test } from 'vitest';

const schema = buildSchema(
  readFileSync(new URL('../../../supergraph.graphql', import.meta.url), 'utf8'),
  { assumeValid: true },
);
const folder = new URL('.', import.meta.url);

test.each(readdirSync(folder).filter((name) => name.endsWith('.graphql')))(
  '%s is valid for the graph',
  (name) => {
    const document = parse(readFileSync(new URL(name, folder), 'utf8'));
    expect(validate(schema, document).map(({ message }) => message)).toEqual([]);
  },
);
