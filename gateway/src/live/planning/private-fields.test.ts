import { parse } from 'graphql';
import { expect, it } from 'vitest';
import { buildSupergraph } from '../../supergraph.ts';
import { composeToys } from '../../testing/toy-graph.ts';
import { readPrivateFields } from './private-fields.ts';

const touchesPrivate = readPrivateFields(buildSupergraph(composeToys()));

it.each([
  ['no marked field', '{ itemFeed { n item { id rating } } }', false],
  ['a marked field', '{ itemFeed { n seenBy } }', true],
  ['one under an alias', '{ itemFeed { n: seenBy } }', true],
  ['another field under its name', '{ itemFeed { seenBy: n } }', false],
  ['one in a fragment', '{ itemFeed { ...F } } fragment F on FeedEvent { seenBy }', true],
  ['one that a variable may leave out', '{ itemFeed { n seenBy @include(if: $yes) } }', true],
  ['a field whose type is marked', '{ itemFeed { owner { name } } }', true],
  ['a field of an interface that one type has marked', '{ itemFeed { noted { note } } }', true],
  [
    'the same of a type that has not',
    '{ itemFeed { noted { ... on PublicNote { note } } } }',
    false,
  ],
])('%s', (_what, selection, expected) => {
  const variables = selection.includes('$yes') ? '($yes: Boolean!)' : '';
  expect(touchesPrivate(parse(`subscription ${variables} ${selection}`))).toBe(expected);
});
