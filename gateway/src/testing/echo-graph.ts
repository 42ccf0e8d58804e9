import type { IncomingHttpHeaders } from 'node:http';
import { composeServices } from '@apollo/composition';
import { parse } from 'graphql';
import { createChannel } from './channel.ts';
import { type Resolver, startToySubgraph } from './toy-subgraph.ts';

const LINK = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])`;
const FIRST = parse(`${LINK}
  type Query { seen: String thing: Thing }
  type Mutation { change: String }
  type Subscription { ticked: Tick }
  type Tick { n: Int seen: String thing: Thing }
  type Thing @key(fields: "id") { id: ID! }
`);
const SECOND = parse(`${LINK}
  type Query { other: String }
  type Thing @key(fields: "id") { id: ID! seen: String }
`);

/** Returns the headers that the gateway has sent because of a rule: those that begin with `x-`. */
function ruledHeaders(headers: IncomingHttpHeaders): string {
  const ruled = Object.entries(headers).filter(([name]) => /^x-|^authorization$/.test(name));
  return JSON.stringify(Object.fromEntries(ruled));
}

const echo: Resolver = (_parent, _args, headers) => ruledHeaders(headers as IncomingHttpHeaders);

/**
 * Starts two subgraphs whose field `seen` is the headers that they have received, as JSON. The second one
 * adds `Thing.seen`. Each tick is an event of `ticked`.
 */
export async function startEchoGraph() {
  const ticks = createChannel<number>();
  let n = 0;
  const first = await startToySubgraph(FIRST, {
    Query: { seen: echo, thing: () => ({ id: '1' }) },
    Mutation: { change: echo },
    Subscription: {
      ticked: { subscribe: () => ticks.listen(), resolve: (at: number) => ({ n: at }) } as never,
    },
    Tick: { seen: echo, thing: ({ n: at }) => ({ id: String(at) }) },
  });
  const second = await startToySubgraph(SECOND, {
    Query: { other: echo },
    Thing: { seen: echo, __resolveReference: ({ id }) => ({ id }) },
  });
  const { supergraphSdl: sdl } = composeServices([
    { name: 'first', url: first.url, typeDefs: FIRST },
    { name: 'second', url: second.url, typeDefs: SECOND },
  ]);
  return {
    sdl: sdl as string,
    first,
    second,
    tick: (): void => ticks.publish(++n),
    listening: ticks.listening,
    stop: async (): Promise<void> => {
      await Promise.all([first.kill(), second.kill()]);
    },
  };
}
