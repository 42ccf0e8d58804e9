import { composeToys } from './toy-graph.ts';

/**
 * Composes toy subgraphs whose schemas require tokens and scopes. The subgraphs themselves enforce
 * nothing.
 */
export function composeMarkedToys(items?: string, ratings?: string): string {
  return composeToys(items, ratings, (sdl) =>
    [
      ['"@composeDirective"]', '"@composeDirective", "@authenticated", "@requiresScopes"]'],
      ['items(first: Int): [Item!]!', 'items(first: Int): [Item!]! @authenticated'],
      ['hello(name: String!): String', 'hello(name: String!): String secret: Secret level: Level'],
      [
        'rename(input: RenameInput!): Item',
        `rename(input: RenameInput!): Item ${scopes('items:write')}`,
      ],
      ['  other: Int', `  other: Int ${scopes('items:watch')}`],
      ['n: Int! tag: String', `n: Int! @authenticated tag: String ${scopes('a', 'b', '|', 'c')}`],
      ['type ItemChange {', `type ItemChange @authenticated {`],
      ['note: String @cacheControl', `note: String @authenticated @cacheControl`],
      [
        'enum Size',
        `type Secret ${scopes('secrets')} { word: String @authenticated } enum Level @authenticated { LOW }
        union Found = Secret | Item extend type Query { found: Found } enum Size`,
      ],
    ].reduce((text, [from = '', to = '']) => {
      if (!text.includes(from)) throw new Error(`The toys have no ${from}`);
      return text.replace(from, to);
    }, sdl),
  );
}

/** Returns a `@requiresScopes` directive; `|` separates alternative sets of scopes. */
function scopes(...names: string[]): string {
  const sets = names
    .join(' ')
    .split(' | ')
    .map((all) => all.split(' '));
  return `@requiresScopes(scopes: ${JSON.stringify(sets)})`;
}
