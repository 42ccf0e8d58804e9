import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { composeServices } from '@apollo/composition';
import { parse } from 'graphql';
import { expect, it } from 'vitest';
import { repository } from '../docs/snippets.ts';

const example = (file: string) => readFile(join(repository, 'gateway/example', file), 'utf8');

it('the supergraph of the example equals the composition of its subgraphs', async () => {
  const subgraphs = await Promise.all(
    [
      ['products', 4001],
      ['reviews', 4002],
    ].map(async ([name, port]) => ({
      name: String(name),
      url: `http://127.0.0.1:${port}/graphql`,
      typeDefs: parse(await example(`${name}.graphql`)),
    })),
  );
  const { supergraphSdl, errors } = composeServices(subgraphs);
  expect(errors).toBeUndefined();
  expect(await example('supergraph.graphql')).toBe(`${supergraphSdl?.trim()}\n`);
});
