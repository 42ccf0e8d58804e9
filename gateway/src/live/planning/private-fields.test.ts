import { parse } from 'graphql';
import { expect, it } from 'vitest';
import { buildSupergraph } from '../../supergraph.ts';
import { composeToys } from '../../testing/toy-graph.ts';
import { readPrivateFields } from './private-fields.ts';

const selectsPrivate = readPrivateFields(buildSupergraph(composeToys()));

it.each([
  ['finds nothing without a private field', '{ itemFeed { n item { id rating } } }', false],
  ['finds a private field', '{ itemFeed { n seenBy } }', true],
  ['finds a private field under an alias', '{ itemFeed { n: seenBy } }', true],
  ['ignores another field under the name of a private one', '{ itemFeed { seenBy: n } }', false],
  [
    'finds a private field in a fragment',
    '{ itemFeed { ...F } } fragment F on FeedEvent { seenBy }',
    true,
  ],
  [
    'finds a private field that a variable may skip',
    '{ itemFeed { n seenBy @include(if: $yes) } }',
    true,
  ],
  ['finds a field of a private type', '{ itemFeed { owner { name } } }', true],
  [
    'finds an interface field that is private in an implementation',
    '{ itemFeed { noted { note } } }',
    true,
  ],
  [
    'ignores an implementation where the field is not private',
    '{ itemFeed { noted { ... on PublicNote { note } } } }',
    false,
  ],
])('%s', (_what, selection, expected) => {
  const variables = selection.includes('$yes') ? '($yes: Boolean!)' : '';
  expect(selectsPrivate(parse(`subscription ${variables} ${selection}`))).toBe(expected);
});
