import type { StreamRequest } from './protocol-clients.ts';

/** Operations on the toy graph's feed, with their results for its first event, about item 7. */
export const SHAPES: readonly [string, StreamRequest, unknown][] = [
  ['a plain operation', { query: 'subscription { itemFeed { n } }' }, { itemFeed: { n: 1 } }],
  [
    'aliases, also of the cursor and the key',
    { query: 'subscription { f: itemFeed { p: place it: item { key: id r: rating } } }' },
    { f: { p: 'p1', it: { key: '7', r: 7 } } },
  ],
  [
    'a cursor under the name of another field',
    { query: 'subscription { itemFeed { item: place other: item { id: name } } }' },
    { itemFeed: { item: 'p1', other: { id: 'item 7' } } },
  ],
  [
    'named and inline fragments',
    {
      query:
        'subscription { ...R } fragment R on Subscription { ... on Subscription { itemFeed { ...F } } } fragment F on FeedEvent { n ... on FeedEvent { item { rating } } }',
    },
    { itemFeed: { n: 1, item: { rating: 7 } } },
  ],
  [
    'default variables',
    {
      query:
        'subscription ($tag: String = "t", $scale: Int = 2) { itemFeed(tag: $tag) { tag item { rating(scale: $scale) } } }',
    },
    { itemFeed: { tag: 't', item: { rating: 14 } } },
  ],
  [
    '@skip and @include inside, by variable',
    {
      query:
        'subscription ($yes: Boolean!, $no: Boolean!) { itemFeed { n @skip(if: $yes) place @include(if: $no) item @include(if: $yes) { rating @skip(if: $no) } } }',
      variables: { yes: true, no: false },
    },
    { itemFeed: { item: { rating: 7 } } },
  ],
  [
    '@skip and @include in fragments, by default variables',
    {
      query:
        'subscription ($yes: Boolean! = true, $no: Boolean! = false) { itemFeed { ...F @include(if: $yes) ... @skip(if: $yes) { place } } } fragment F on FeedEvent { n item @skip(if: $no) { id ... @include(if: $no) { name } } }',
    },
    { itemFeed: { n: 1, item: { id: '7' } } },
  ],
  [
    'skipped key and cursor',
    {
      query:
        'subscription ($yes: Boolean!) { itemFeed { n place @skip(if: $yes) item @skip(if: $yes) { id } } }',
      variables: { yes: true },
    },
    { itemFeed: { n: 1 } },
  ],
  [
    '@include with a constant at the root',
    { query: 'subscription { itemFeed @include(if: true) { n } }' },
    { itemFeed: { n: 1 } },
  ],
  [
    '__typename inside',
    { query: 'subscription { itemFeed { __typename item { __typename } } }' },
    { itemFeed: { __typename: 'FeedEvent', item: { __typename: 'Item' } } },
  ],
  [
    'an operation chosen by name',
    { query: 'query Q { best { id } } subscription S { itemFeed { n } }', operationName: 'S' },
    { itemFeed: { n: 1 } },
  ],
];

/** Operations that resume after the first event; the field `n` identifies an event. */
export const CURSORS: readonly [string, StreamRequest][] = [
  ['as a literal', { query: 'subscription { itemFeed(after: "p1") { n place item { id } } }' }],
  [
    'by variable',
    {
      query: 'subscription ($a: String) { itemFeed(after: $a) { n place item { id } } }',
      variables: { a: 'p1' },
    },
  ],
  [
    'by a default value',
    { query: 'subscription ($a: String = "p1") { itemFeed(after: $a) { n place item { id } } }' },
  ],
  [
    'by a variable with a default value',
    {
      query: 'subscription ($a: String = "p0") { itemFeed(after: $a) { n item { id } } }',
      variables: { a: 'p1' },
    },
  ],
  [
    'as a literal in an inline fragment at the root',
    { query: 'subscription { ... on Subscription { itemFeed(after: "p1") { n } } }' },
  ],
  [
    'by variable in a named fragment at the root',
    {
      query:
        'subscription ($a: String) { ...R } fragment R on Subscription { itemFeed(after: $a) { ...F } } fragment F on FeedEvent { n item { rating } }',
      variables: { a: 'p1' },
    },
  ],
  [
    'by variable, with aliases of the stream, the cursor and the key',
    {
      query:
        'subscription ($a: String) { f: itemFeed(after: $a) { n at: place it: item { k: id } } }',
      variables: { a: 'p1' },
    },
  ],
  [
    'as a literal beside another argument, with aliases in a fragment',
    {
      query:
        'subscription ($t: String) { f: itemFeed(tag: $t, after: "p1") { ...F } } fragment F on FeedEvent { n item: place place: item { id } }',
      variables: { t: 'x' },
    },
  ],
  [
    'by variable, without a selected cursor or key, and with @skip',
    {
      query:
        'subscription ($a: String, $yes: Boolean!) { itemFeed(after: $a) { n place @skip(if: $yes) item @skip(if: $yes) { id } } }',
      variables: { a: 'p1', yes: true },
    },
  ],
];

const VALIDATION = 'GRAPHQL_VALIDATION_FAILED';
/** Operations that cannot run, with the code of their error. */
export const REFUSED: readonly [string, StreamRequest, string][] = [
  [
    'two root fields',
    { query: 'subscription { a: itemFeed { n } b: itemFeed { n } }' },
    VALIDATION,
  ],
  [
    'two root fields by a fragment',
    {
      query:
        'subscription { ...R itemFeed { n } } fragment R on Subscription { other: itemFeed { n } }',
    },
    VALIDATION,
  ],
  [
    '__typename beside the root field',
    { query: 'subscription { __typename itemFeed { n } }' },
    VALIDATION,
  ],
  [
    'a skipped root field',
    { query: 'subscription { itemFeed @skip(if: true) { n } }' },
    VALIDATION,
  ],
  [
    '@include by variable on a fragment at the root',
    {
      query: 'subscription ($x: Boolean!) { ... @include(if: $x) { itemFeed { n } } }',
      variables: { x: false },
    },
    VALIDATION,
  ],
  ['@defer on the root', { query: 'subscription { ... @defer { itemFeed { n } } }' }, VALIDATION],
  ['__typename as root', { query: 'subscription { __typename }' }, VALIDATION],
  [
    '@include by variable on the root',
    {
      query: 'subscription ($x: Boolean!) { itemFeed @include(if: $x) { n } }',
      variables: { x: true },
    },
    VALIDATION,
  ],
  [
    '@skip by variable on the root',
    {
      query: 'subscription ($x: Boolean!) { itemFeed @skip(if: $x) { n } }',
      variables: { x: false },
    },
    VALIDATION,
  ],
  ['@defer', { query: 'subscription { itemFeed { ... @defer { n } } }' }, VALIDATION],
  ['a syntax error', { query: 'subscription {' }, 'GRAPHQL_PARSE_FAILED'],
  [
    'a variable of another type',
    {
      query: 'subscription ($t: String) { itemFeed(tag: $t) { n } }',
      variables: { t: { no: 'text' } },
    },
    'BAD_USER_INPUT',
  ],
  [
    'a subscription that the subgraph rejects',
    { query: 'subscription { refused(code: "NO") }' },
    'NO',
  ],
];
