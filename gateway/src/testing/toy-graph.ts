import { composeServices } from '@apollo/composition';
import { GraphQLError, parse } from 'graphql';
import { createChannel } from './channel.ts';
import { startToySubgraph, type ToySubgraph } from './toy-subgraph.ts';

const LIVE = `extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@composeDirective"])
  @link(url: "https://gudang.dev/live/v1.0", import: ["@eventCursor", "@conflate"])
  @composeDirective(name: "@eventCursor")
  @composeDirective(name: "@conflate")
  @link(url: "https://gudang.dev/cache/v1.0", import: ["@cacheControl"])
  @composeDirective(name: "@cacheControl")
  @link(url: "https://gudang.dev/idempotency/v1.0", import: [{ name: "@idempotencyKey", as: "@retryKey" }])
  @composeDirective(name: "@retryKey")
  directive @retryKey on ARGUMENT_DEFINITION | INPUT_FIELD_DEFINITION
  directive @cacheControl(maxAge: Int, scope: CacheControlScope) on FIELD_DEFINITION | OBJECT | INTERFACE
  enum CacheControlScope { PUBLIC PRIVATE }
  directive @eventCursor on ARGUMENT_DEFINITION | FIELD_DEFINITION
  directive @conflate(by: String!) on FIELD_DEFINITION`;
const LINK = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])`;

const ITEMS_SDL = `${LIVE}
  type Query { item(id: ID!): Item items(first: Int): [Item!]! hello(name: String!): String fail(code: String): String }
  type Mutation {
    rename(input: RenameInput!): Item
    touch(id: ID!, note: String, request: String @retryKey, again: Boolean): Item
    count: Int
  }
  input RenameInput { id: ID!, name: String!, count: Int, request: ID @retryKey }
  type Subscription {
    itemChanged(id: ID!, note: String = "none", size: Size): ItemChange!
    other: Int
    refused(code: String!): Int
    itemFeed(after: String @eventCursor, tag: String): FeedEvent! @conflate(by: "item { id }")
    itemState(id: ID!): FeedEvent @conflate(by: "item { id }")
  }
  type FeedEvent { item: Item! n: Int! tag: String place: String! @eventCursor seenBy: String @cacheControl(scope: PRIVATE) owner: Owner noted: Noted }
  type Owner @cacheControl(maxAge: 0, scope: PRIVATE) { name: String }
  interface Noted { note: String }
  type PublicNote implements Noted { note: String }
  type OwnNote implements Noted { note: String @cacheControl(scope: PRIVATE) }
  enum Size { SMALL LARGE }
  type ItemChange { item: Item! delta: Int note: String size: Size }
  type Item @key(fields: "id") { id: ID! name: String }
`;

export const ITEMS = parse(ITEMS_SDL);

export const RATINGS = parse(`${LINK}
  type Query { best: Item }
  type Item @key(fields: "id") { id: ID! rating(scale: Int): Int }
`);

/**
 * Composes the toy subgraphs; by default at addresses without a listener.
 * @param edit changes the SDL of the items subgraph
 */
export function composeToys(
  items = 'http://127.0.0.1:1/graphql',
  ratings = items,
  edit = (sdl: string): string => sdl,
): string {
  const composed = composeServices([
    { name: 'items', url: items, typeDefs: parse(edit(ITEMS_SDL)) },
    { name: 'ratings', url: ratings, typeDefs: RATINGS },
  ]);
  if (composed.supergraphSdl === undefined) throw new Error(String(composed.errors));
  return composed.supergraphSdl;
}

export interface ToyEvent {
  readonly id: string;
  readonly delta: number;
}

/** An event of a feed that can be read from any cursor. */
export interface FeedEvent {
  readonly id: string;
  readonly n: number;
}

/**
 * Starts two subgraphs: one sends entities in its subscriptions; the other adds fields to these
 * entities.
 */
export async function startToyGraph() {
  const changes = createChannel<ToyEvent>();
  const feed: FeedEvent[] = [];
  const feedChanges = createChannel<FeedEvent>();
  const subscribed: Record<string, unknown>[] = [];
  const rated = { failing: false };
  const names = new Map<string, string>();
  const mutations: Record<string, unknown>[] = [];
  const subscribe = (_parent: unknown, args: Record<string, unknown>) => {
    subscribed.push(args);
    return changes.listen();
  };
  const publish = (id: string): void => {
    const event = { id, n: feed.length + 1 };
    feed.push(event);
    feedChanges.publish(event);
  };
  const newestOf = (id: unknown) => feed.filter((event) => event.id === id).slice(-1);
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
        Mutation: {
          touch: (_, args) => {
            mutations.push(args);
            return { id: args['id'] };
          },
          count: () => mutations.push({}),
          rename: (_, { input }) => {
            mutations.push({ input });
            const { id, name } = input as { id: string; name: string };
            names.set(id, name);
            return input;
          },
        },
        Item: {
          name: ({ id }) => names.get(String(id)) ?? `item ${id}`,
          __resolveReference: ({ id }) => ({ id }),
        },
        ItemChange: { item: ({ id }) => ({ id }) },
        FeedEvent: { item: ({ id }) => ({ id }), place: ({ n }) => `p${n}` },
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
          itemFeed: {
            subscribe: (_parent: unknown, { after, ...args }: Record<string, unknown>) => {
              subscribed.push({ ...args, ...(after ? { after } : {}) });
              return feedChanges.listen(after ? feed.slice(Number(String(after).slice(1))) : []);
            },
            resolve: (event: FeedEvent, { tag }: { tag?: string }) => ({ ...event, tag }),
          } as never,
          itemState: {
            subscribe: (_parent: unknown, { id }: Record<string, unknown>) => {
              subscribed.push({ id });
              return feedChanges.listen(newestOf(id));
            },
            resolve: (event: FeedEvent) => event,
          } as never,
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
    /** Arguments of each mutation that the subgraph executed. */
    mutations,
    /** Renames an item directly, not through the gateway. */
    rename: (id: string, name: string) => void names.set(id, name),
    /** Adds an event to the feed. */
    publish,
    feed,
    feedListening: feedChanges.listening,
    /** Arguments of each subscription that the subgraph received. */
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
