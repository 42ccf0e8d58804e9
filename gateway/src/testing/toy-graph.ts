import { composeServices } from '@apollo/composition';
import { GraphQLError, parse } from 'graphql';
import { createChannel } from './channel.ts';
import { startToySubgraph, type ToySubgraph } from './toy-subgraph.ts';

const LINK = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])`;

export const ITEMS = parse(`${LINK}
  type Query { item(id: ID!): Item items(first: Int): [Item!]! hello(name: String!): String fail(code: String): String }
  type Mutation { rename(input: RenameInput!): Item }
  input RenameInput { id: ID!, name: String!, count: Int }
  type Subscription {
    itemChanged(id: ID!, note: String = "none", size: Size): ItemChange!
    other: Int
    refused(code: String!): Int
  }
  enum Size { SMALL LARGE }
  type ItemChange { item: Item! delta: Int note: String size: Size }
  type Item @key(fields: "id") { id: ID! name: String }
`);

export const RATINGS = parse(`${LINK}
  type Query { best: Item }
  type Item @key(fields: "id") { id: ID! rating(scale: Int): Int }
`);

/** A supergraph of the toy subgraphs, at addresses where nothing listens unless told otherwise. */
export function composeToys(items = 'http://127.0.0.1:1/graphql', ratings = items): string {
  const composed = composeServices([
    { name: 'items', url: items, typeDefs: ITEMS },
    { name: 'ratings', url: ratings, typeDefs: RATINGS },
  ]);
  if (composed.supergraphSdl === undefined) throw new Error(String(composed.errors));
  return composed.supergraphSdl;
}

export interface ToyEvent {
  readonly id: string;
  readonly delta: number;
}

/** Two subgraphs; a subscription of the one gives an entity that the other adds to. */
export async function startToyGraph() {
  const changes = createChannel<ToyEvent>();
  const subscribed: Record<string, unknown>[] = [];
  const rated = { failing: false };
  const subscribe = (_parent: unknown, args: Record<string, unknown>) => {
    subscribed.push(args);
    return changes.listen();
  };
  const startItems = (port = 0): Promise<ToySubgraph> =>
    startToySubgraph(
      ITEMS,
      {
        Query: {
          item: (_, { id }) => (id === 'gone' ? null : { id }),
          items: () => [{ id: '1' }, { id: '2' }],
          hello: (_, { name }) => `hello ${name}`,
          fail: (_, { code }) => {
            throw new GraphQLError('it failed', {
              extensions: {
                code,
                argument: 'input.code',
                allowed: 'nothing',
                errorId: 'e-1',
                stacktrace: ['secret'],
              },
            });
          },
        },
        Mutation: { rename: (_, { input }) => input },
        Item: {
          name: ({ id, name }) => name ?? `item ${id}`,
          __resolveReference: ({ id }) => ({ id }),
        },
        ItemChange: { item: ({ id }) => ({ id }) },
        Subscription: {
          itemChanged: {
            subscribe,
            resolve: (event: ToyEvent, { note, size }: { note: string; size: string }) => ({
              ...event,
              note,
              size,
            }),
          } as never,
          other: { subscribe, resolve: ({ delta }: ToyEvent) => delta } as never,
          refused: {
            subscribe: (_, { code }) => {
              throw new GraphQLError('not to be had', { extensions: { code, argument: 'code' } });
            },
          },
        },
      },
      port,
    );
  const toys = {
    items: await startItems(),
    ratings: await startToySubgraph(RATINGS, {
      Query: { best: () => ({ id: '1' }) },
      Item: {
        rating: ({ id }, { scale }) => {
          if (rated.failing) throw new Error('no ratings today');
          return Number(id) * Number(scale ?? 1);
        },
        __resolveReference: ({ id }) => ({ id }),
      },
    }),
  };
  return {
    get items(): ToySubgraph {
      return toys.items;
    },
    ratings: toys.ratings,
    changes,
    /** Arguments of each subscription that reached the subgraph. */
    subscribed,
    rated,
    restartItems: async (): Promise<void> => {
      toys.items = await startItems(Number(new URL(toys.items.url).port));
    },
    killItems: () => toys.items.kill(),
    stop: async () => {
      await Promise.all([toys.items.kill(), toys.ratings.kill()]);
    },
  };
}
