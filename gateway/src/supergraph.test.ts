import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StartError } from '@gudang/runtime';
import {
  type GraphQLType,
  getNamedType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  isUnionType,
} from 'graphql';
import { expect, it } from 'vitest';
import { loadSupergraph } from './supergraph.ts';
import { composeToys } from './testing/toy-graph.ts';

it.each([
  ['a text that is not a schema', 'nonsense {'],
  ['an empty file', ''],
  ['a schema that is not a supergraph', 'type Query { a: Int }'],
])('rejects %s with an error of one line', async (_what, text) => {
  const folder = await mkdtemp(join(tmpdir(), 'supergraph-'));
  const file = join(folder, 'supergraph.graphql');
  await writeFile(file, text);
  const error = await loadSupergraph(file).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(StartError);
  expect((error as Error).message).toMatch(/^The supergraph .* cannot be used: .*SUPERGRAPH.*$/);
  await rm(folder, { recursive: true });
});

it('rejects a missing file', async () => {
  await expect(loadSupergraph('/nowhere/supergraph.graphql')).rejects.toThrow(
    'The supergraph /nowhere/supergraph.graphql does not exist: set SUPERGRAPH',
  );
});

it('loads the supergraph in the package by default, or else the given file', async () => {
  expect((await loadSupergraph()).subgraphs.length).toBeGreaterThan(0);
  const folder = await mkdtemp(join(tmpdir(), 'supergraph-'));
  const file = join(folder, 'toy.graphql');
  await writeFile(file, composeToys());
  const { subgraphs } = await loadSupergraph(file);
  expect(subgraphs.map(({ name }) => name)).toEqual(['items', 'ratings']);
  await rm(folder, { recursive: true });
});

it('shows clients only types that an operation can use', async () => {
  const { schema } = await loadSupergraph();
  const used = new Set<string>();
  const nameOf = (type: GraphQLType): string => getNamedType(type).name;
  const use = (name: string): void => {
    if (used.has(name)) return;
    used.add(name);
    const type = schema.getType(name);
    if (isUnionType(type)) for (const member of type.getTypes()) use(member.name);
    if (isInterfaceType(type)) for (const one of schema.getPossibleTypes(type)) use(one.name);
    if (!isObjectType(type) && !isInterfaceType(type) && !isInputObjectType(type)) return;
    for (const field of Object.values(type.getFields())) {
      use(nameOf(field.type));
      if ('args' in field) for (const { type } of field.args) use(nameOf(type));
    }
  };
  for (const root of ['Query', 'Mutation', 'Subscription']) use(root);
  const types = Object.keys(schema.getTypeMap()).filter((name) => !name.startsWith('__'));
  expect(types.filter((name) => !used.has(name))).toEqual([]);
});
