import { getOperationAST, parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { buildSupergraph } from '../supergraph.ts';
import { composeMarkedToys } from '../testing/marked-toys.ts';
import { composeToys } from '../testing/toy-graph.ts';
import { createRequirements } from './field-requirements.ts';

const supergraph = buildSupergraph(composeMarkedToys());
const requirementsOf = createRequirements(supergraph);

function asked(source: string, name?: string): string[] {
  const document = parse(source);
  const operation = getOperationAST(document, name);
  if (!operation) throw new Error('no operation');
  return requirementsOf({ document, operation }).map(
    ({ coordinate, anyOf }) => `${coordinate}${anyOf ? ` ${JSON.stringify(anyOf)}` : ''}`,
  );
}

describe('requirements of an operation', () => {
  it.each([
    ['none for unmarked fields', '{ hello(name: "x") item(id: 1) { id rating } }', []],
    ['a token for a field', '{ items { id } }', ['Query.items']],
    ['a token for a deferred field', '{ ... @defer { items { id } } }', ['Query.items']],
    ['a token for a field with an alias', '{ hello: items { id } }', ['Query.items']],
    [
      'none for a field whose alias is the name of a marked field',
      '{ items: hello(name: "x") }',
      [],
    ],
    [
      'scopes',
      'mutation { rename(input: {id: 1, name: "x"}) { id } }',
      ['Mutation.rename [["items:write"]]'],
    ],
    [
      'any of several sets of scopes, for fields in fragments',
      'subscription { itemFeed { ...F } } fragment F on FeedEvent { ... { tag } n }',
      ['FeedEvent.tag [["a","b"],["c"]]', 'FeedEvent.n'],
    ],
    [
      'those of a type, for fields that return it',
      'subscription { itemChanged(id: 1) { __typename } }',
      ['ItemChange'],
    ],
    [
      'those of a type and its field',
      '{ secret { word } }',
      ['Secret [["secrets"]]', 'Secret.word'],
    ],
    ['those of an enum', '{ level }', ['Level']],
    [
      'those of a selected member of a union',
      '{ found { ... on Secret { __typename } } }',
      ['Secret [["secrets"]]'],
    ],
    ['none for a union member that is not selected', '{ found { ... on Item { id } } }', []],
    [
      'those of the possible types of an interface',
      'subscription { itemFeed { noted { note } } }',
      // Composition adds the requirement of the object type's field to the interface's field.
      ['Noted.note', 'OwnNote.note'],
    ],
    [
      'none for types that the selection excludes',
      'subscription { itemFeed { noted { ... on PublicNote { note } } } }',
      [],
    ],
    [
      'those of a field that a variable may exclude',
      'query ($yes: Boolean!) { items @include(if: $yes) { id } }',
      ['Query.items'],
    ],
  ])('are %s', (_what, source, expected) => {
    expect(asked(source)).toEqual(expected);
  });

  it('are those of the named operation only', () => {
    const both =
      'query A { ...Q } query B { hello(name: "x") } fragment Q on Query { items { id } }';
    expect(asked(both, 'A')).toEqual(['Query.items']);
    expect(asked(both, 'B')).toEqual([]);
  });
});

it('finds no requirements in a supergraph without @authenticated and @requiresScopes', () => {
  const plain = createRequirements(buildSupergraph(composeToys()));
  const document = parse('{ items { id } }');
  const operation = getOperationAST(document);
  expect(operation && plain({ document, operation })).toEqual([]);
});

it('rejects a supergraph with a security feature that the gateway does not enforce', () => {
  const withPolicy = composeMarkedToys()
    .replace('https://specs.apollo.dev/authenticated/v0.1', 'https://specs.apollo.dev/policy/v0.1')
    .replaceAll('@authenticated', '@policy');
  expect(() => buildSupergraph(withPolicy)).toThrow(/policy.*SECURITY but is unsupported/);
  expect(composeMarkedToys()).toContain('for: SECURITY');
  expect(supergraph.runnableSdl).not.toContain('for: SECURITY');
});
