import { composeServices } from '@apollo/composition';
import { buildSchema, type GraphQLSchema, parse } from 'graphql';

/** Fields that return their arguments. Each takes a marker, which names the request that it belongs to. */
const SDL = `
  type Query {
    echo(marker: String!, text: String, n: Int = 7, f: Float, list: [String], flag: Boolean, side: Side, input: EchoInput, any: Any): Echo
  }
  type Mutation {
    write(marker: String!, text: String, input: EchoInput): Echo
  }
  type Subscription {
    heard(marker: String!, text: String, n: Int): Echo
    feed(marker: String!, count: Int!, size: Int!): FeedEvent!
  }
  type FeedEvent { n: Int! text: String! }
  type Echo { marker: String! text: String n: Int again(text: String): String self: Echo }
  input EchoInput { text: String = "none", n: Int, list: [[Int]], inner: EchoInput }
  enum Side { LEFT RIGHT }
  scalar Any
`;

/** A root field that was executed, with its coerced arguments as canonical JSON. */
export interface Call {
  readonly field: string;
  readonly marker: string;
  readonly args: string;
}

type Args = Readonly<Record<string, unknown>> & { readonly marker: string };

/** Returns JSON with sorted keys, so that equal values have equal texts. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([one], [other]) => (one < other ? -1 : 1)))
      : inner,
  );
}

export const echoSchema: GraphQLSchema = buildSchema(SDL);

/** Returns the root value whose fields report their calls. */
export function echoRoot(onCall: (call: Call) => void) {
  const resolve = (field: string) => (args: Args) => {
    onCall({ field, marker: args.marker, args: canonical(args) });
    const { marker, text, n } = args;
    const echo = { marker, text, n, again: (inner: { text?: string }) => inner.text };
    return { ...echo, self: () => ({ ...echo, self: echo }) };
  };
  return { echo: resolve('echo'), write: resolve('write'), heard: resolve('heard') };
}

/** Composes the supergraph whose only subgraph is the recording subgraph. */
export function composeEcho(url: string): string {
  const { supergraphSdl, errors } = composeServices([{ name: 'echo', url, typeDefs: parse(SDL) }]);
  if (supergraphSdl === undefined) throw new Error(String(errors));
  return supergraphSdl;
}
