import { readFile } from 'node:fs/promises';
import {
  type InputValueDefinitionNode,
  Kind,
  type ObjectTypeDefinitionNode,
  parse,
  type TypeNode,
} from 'graphql';
import { expect, it } from 'vitest';
import { findStale, supergraphPath } from './supergraph-file.ts';

it('finds no difference between the composed and the committed supergraph', async () => {
  expect(await findStale()).toBeUndefined();
});

it('composes a mark for the idempotency key of every mutation', async () => {
  const { definitions } = parse(await readFile(supergraphPath, 'utf8'));
  const inputs = new Map(
    definitions.flatMap((one) =>
      one.kind === Kind.INPUT_OBJECT_TYPE_DEFINITION ? [[one.name.value, one.fields ?? []]] : [],
    ),
  );
  const isMarked = (value: InputValueDefinitionNode): boolean =>
    value.directives?.some(({ name }) => name.value === 'idempotencyKey') ||
    (inputs.get(namedType(value.type)) ?? []).some(isMarked);
  const mutation = definitions.find(
    (one): one is ObjectTypeDefinitionNode =>
      one.kind === Kind.OBJECT_TYPE_DEFINITION && one.name.value === 'Mutation',
  );
  const fields = mutation?.fields ?? [];
  expect(fields.length).toBeGreaterThan(4);
  const unmarked = fields.filter((field) => !field.arguments?.some(isMarked));
  expect(unmarked.map(({ name }) => name.value)).toEqual([]);
});

function namedType(type: TypeNode): string {
  return type.kind === Kind.NAMED_TYPE ? type.name.value : namedType(type.type);
}
