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

describe('what an operation asks of its client', () => {
  it.each([
    ['nothing of what is not marked', '{ hello(name: "x") item(id: 1) { id rating } }', []],
    ['a token', '{ items { id } }', ['Query.items']],
    ['under an alias too', '{ hello: items { id } }', ['Query.items']],
    ['not of another field under its name', '{ items: hello(name: "x") }', []],
    [
      'scopes',
      'mutation { rename(input: {id: 1, name: "x"}) { id } }',
      ['Mutation.rename [["items:write"]]'],
    ],
    [
      'in fragments, by any of several sets of scopes',
      'subscription { itemFeed { ...F } } fragment F on FeedEvent { ... { tag } n }',
      ['FeedEvent.tag [["a","b"],["c"]]', 'FeedEvent.n'],
    ],
    [
      'of a whole type, by whatever shows it',
      'subscription { itemChanged(id: 1) { __typename } }',
      ['ItemChange'],
    ],
    ['of a type and its field', '{ secret { word } }', ['Secret [["secrets"]]', 'Secret.word']],
    ['of an enum', '{ level }', ['Level']],
    [
      'of a member of a union that is named',
      '{ found { ... on Secret { __typename } } }',
      ['Secret [["secrets"]]'],
    ],
    ['not of a member that is not', '{ found { ... on Item { id } } }', []],
    [
      'of what may stand for an interface',
      'subscription { itemFeed { noted { note } } }',
      // Composition asks it of the interface's field too.
      ['Noted.note', 'OwnNote.note'],
    ],
    [
      'not of what may not',
      'subscription { itemFeed { noted { ... on PublicNote { note } } } }',
      [],
    ],
    [
      'of what a variable may leave out',
      'query ($yes: Boolean!) { items @include(if: $yes) { id } }',
      ['Query.items'],
    ],
  ])('%s', (_what, source, expected) => {
    expect(asked(source)).toEqual(expected);
  });

  it('is of the operation that is run, not of others beside it', () => {
    const both =
      'query A { ...Q } query B { hello(name: "x") } fragment Q on Query { items { id } }';
    expect(asked(both, 'A')).toEqual(['Query.items']);
    expect(asked(both, 'B')).toEqual([]);
  });
});

it('a supergraph without such marks asks nothing', () => {
  const plain = createRequirements(buildSupergraph(composeToys()));
  const document = parse('{ items { id } }');
  const operation = getOperationAST(document);
  expect(operation && plain({ document, operation })).toEqual([]);
});

it('what this gateway does not enforce stays refused', () => {
  const withPolicy = composeMarkedToys()
    .replace('https://specs.apollo.dev/authenticated/v0.1', 'https://specs.apollo.dev/policy/v0.1')
    .replaceAll('@authenticated', '@policy');
  expect(() => buildSupergraph(withPolicy)).toThrow(/policy.*SECURITY but is unsupported/);
  expect(composeMarkedToys()).toContain('for: SECURITY');
  expect(supergraph.runnableSdl).not.toContain('for: SECURITY');
});
