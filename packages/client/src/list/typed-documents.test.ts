import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { expectTypeOf, it } from 'vitest';
import type { TypedDocumentText } from '../document.ts';
import { type LiveListResult, type LiveResult, useLive, useLiveList } from '../react/index.ts';
import { liveList } from './live-list.ts';
import type { LiveList } from './live-list-options.ts';

interface Stock {
  readonly id: string;
  readonly version: number;
}
interface Page {
  readonly stockCursor: string;
  readonly stocks: { readonly nodes: readonly Stock[] };
}
type Change = {
  readonly stockChanged: { readonly kind: 'DELETED' | 'ORDERED'; readonly stock: Stock };
};

// Never called: TypeScript checks it. Its name lets it call hooks.
function useTypes(
  query: TypedDocumentNode<Page, { first: number; after?: string | null }>,
  subscription: TypedDocumentText<Change, { ids?: string[] | null }>,
): void {
  const options = {
    query,
    variables: { first: 20 },
    page: ({ stockCursor, stocks }: Page) => ({ cursor: stockCursor, items: stocks.nodes }),
    subscription,
    event: ({ stockChanged: { kind, stock } }: Change) => ({
      item: stock,
      deleted: kind === 'DELETED',
    }),
    id: ({ id }: Stock) => id,
    version: ({ version }: Stock) => version,
  };
  const client = undefined as never;
  expectTypeOf(liveList(client, options)).toEqualTypeOf<LiveList<Stock>>();
  expectTypeOf(useLiveList(options)).toEqualTypeOf<LiveListResult<Stock>>();
  expectTypeOf(useLive(subscription, { ids: ['a'] })).toEqualTypeOf<LiveResult<Change>>();

  liveList(client, {
    query,
    variables: { first: 20 },
    page: (data) => {
      expectTypeOf(data).toEqualTypeOf<Page>();
      return { cursor: data.stockCursor, items: data.stocks.nodes };
    },
    subscription,
    event: (data) => {
      expectTypeOf(data).toEqualTypeOf<Change>();
      return { item: data.stockChanged.stock };
    },
    id: (stock) => {
      expectTypeOf(stock).toEqualTypeOf<Stock>();
      return stock.id;
    },
    version: ({ version }) => version,
    compare: (a, b) => a.version - b.version,
    matches: ({ version }) => version > 1,
  });

  // @ts-expect-error `first` is a number
  liveList(client, { ...options, variables: { first: '20' } });
  // @ts-expect-error the subscription has no variable `id`
  liveList(client, { ...options, subscriptionVariables: { id: 'a' } });
  // @ts-expect-error the item of an event lacks the version
  liveList(client, { ...options, event: () => ({ item: { id: 'a' } }) });
  // @ts-expect-error `ids` is a list
  useLive(subscription, { ids: 'a' });
}

it('lists and hooks take the types of documents', () => {
  expectTypeOf(useTypes).toBeFunction();
});
