import { composeServices } from '@apollo/composition';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { type GraphQLSchema, parse } from 'graphql';
import { buildSupergraph, type LoadedSupergraph } from '../supergraph.ts';

const LINK = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@external", "@requires", "@provides", "@shareable", "@interfaceObject"])`;

/**
 * Schemas that lead to all forms of plans and answers. They contain keys, `@requires`, unions,
 * interfaces and nested lists.
 */
const SUBGRAPHS = {
  products: `${LINK}
    type Query { product(id: ID!, size: Size): Product products(first: Int = 3): [Product!]! things: [Thing] named: Named any: Any grid: [[Int!]] shop: Shop! media: [Media] }
    type Mutation { rename(id: ID!, name: String!): Product open(id: ID!): Shop! }
    interface Media @key(fields: "id") { id: ID! title: String }
    type Film implements Media @key(fields: "id") { id: ID! title: String minutes: Int! }
    type Book implements Media @key(fields: "id") { id: ID! title: String pages: Int }
    scalar Any
    enum Size { S L }
    interface Named { name: String! }
    union Thing = Product | Shop | Note
    type Product implements Named @key(fields: "id") @key(fields: "code { of number }") {
      id: ID! code: Code! name: String! size: Size price: Int! weight: Float tags: [String!]! shop: Shop grid: [[Int!]!] ok: Boolean any: Any
    }
    type Code { of: String! number: Int! }
    type Shop implements Named @key(fields: "id") { id: ID! name: String! products: [Product!] owner: Named }
    type Note { text: String! about: Thing }`,
  reviews: `${LINK}
    type Query { top: [Product] review(id: ID!): Review loved: [Media!] }
    type Mutation { rate(id: ID!): Review! close(id: ID!): Shop }
    type Media @key(fields: "id") @interfaceObject { id: ID! fans: Int! critic: Review }
    type Product @key(fields: "id") {
      id: ID! price: Int! @external weight: Float @external
      shipping: Int! @requires(fields: "price weight") rating: Int reviews(first: Int): [Review!]
    }
    type Review @key(fields: "id") { id: ID! stars: Int! text: String product: Product! shop: Shop }
    type Shop @key(fields: "id") { id: ID! open: Boolean! best: Product }`,
  codes: `${LINK}
    type Product @key(fields: "code { of number }") { code: Code! label: String! printed: [Printed!] }
    type Code @shareable { of: String! number: Int! }
    type Printed { on: String! times: Int }`,
};

export interface OddGraph extends LoadedSupergraph {
  readonly schemas: ReadonlyMap<string, GraphQLSchema>;
}

export function composeOddGraph(): OddGraph {
  const parts = Object.entries(SUBGRAPHS).map(([name, sdl]) => ({
    name,
    url: `http://${name}.invalid/`,
    typeDefs: parse(sdl),
  }));
  const { supergraphSdl, errors } = composeServices(parts);
  if (supergraphSdl === undefined) throw new Error(String(errors));
  const schemas = parts.map(
    ({ name, typeDefs }) => [name, buildSubgraphSchema({ typeDefs })] as const,
  );
  return { ...buildSupergraph(supergraphSdl), schemas: new Map(schemas) };
}
