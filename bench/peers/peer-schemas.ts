import { composeServices } from '@apollo/composition';
import { parse } from 'graphql';

const LINK =
  'extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key"])';

/** Subgraph with the list and the stream. `tag` makes requests different, and has no effect. */
export const ITEMS = `${LINK}
type Query { items(first: Int!, tag: Int): [Item!]! }
type Subscription { ticked: Tick! }
type Tick { n: Int! at: Float! text: String! item: Item! }
type Item @key(fields: "id") { id: ID! name: String! quantity: Int! }
`;

export const RATINGS = `${LINK}
type Item @key(fields: "id") { id: ID! rating: Int }
`;

/** Composes the supergraph. @param port of the process with both subgraphs */
export function composePeerSupergraph(port: number): string {
  const { supergraphSdl, errors } = composeServices([
    { name: 'items', url: urlOf('items', port), typeDefs: parse(ITEMS) },
    { name: 'ratings', url: urlOf('ratings', port), typeDefs: parse(RATINGS) },
  ]);
  if (supergraphSdl === undefined) throw new Error(String(errors));
  return supergraphSdl;
}

export function urlOf(subgraph: 'items' | 'ratings', port: number): string {
  return `http://127.0.0.1:${port}/${subgraph}/graphql`;
}
