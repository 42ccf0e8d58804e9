import { ApolloClient, ApolloLink, gql, InMemoryCache } from '@apollo/client';
import { CombinedGraphQLErrors } from '@apollo/client/errors';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { ClientError } from '../client-error.ts';
import { FakeClient } from '../testing/fake-client.ts';
import { createLiveLink } from './live-link.ts';

const STOCKS = gql`query Stocks($first: Int) { stocks(first: $first) { id quantity } }`;
const CHANGED = gql`subscription Changed($ids: [ID!]) { stock(ids: $ids) { id quantity } }`;
const stock = (quantity: number) => ({ __typename: 'Stock', id: 'a', quantity });

describe('createLiveLink', () => {
  let fake: FakeClient;
  let apollo: ApolloClient;

  beforeEach(() => {
    fake = new FakeClient();
    apollo = new ApolloClient({ link: createLiveLink(fake.client), cache: new InMemoryCache() });
  });

  it('writes the changes of a stream to the cache, and stops the stream', async () => {
    const result = apollo.query({ query: STOCKS, variables: { first: 2 } });
    await vi.waitFor(() => expect(fake.queries).toHaveLength(1));
    expect(fake.queries[0]?.variables).toEqual({ first: 2 });
    fake.queries[0]?.answer({ stocks: [stock(1)] });
    await result;

    const seen: unknown[] = [];
    const watching = apollo
      .subscribe({
        query: CHANGED,
        variables: { ids: ['a'] },
        extensions: { live: { after: 'c1' } },
      })
      .subscribe(({ data, extensions }) => seen.push([data, extensions]));
    expect(fake.active).toMatchObject([{ variables: { ids: ['a'] }, after: 'c1' }]);
    const { send } = fake.subscriptions[0] ?? {};
    send?.next({ data: null, snapshot: { phase: 'begin', complete: true, reset: false } });
    send?.next({ data: { stock: stock(2) }, cursor: 'c2', conflated: 3 });
    expect(seen).toEqual([[{ stock: stock(2) }, { live: { cursor: 'c2', conflated: 3 } }]]);
    expect(apollo.readQuery({ query: STOCKS, variables: { first: 2 } })).toEqual({
      stocks: [stock(2)],
    });
    watching.unsubscribe();
    expect(fake.active).toEqual([]);
  });

  it('passes errors of events, and continues', () => {
    const seen: unknown[] = [];
    apollo
      .subscribe({ query: CHANGED, errorPolicy: 'all' })
      .subscribe(({ data, error }) => seen.push([data, error?.message]));
    const { send } = fake.subscriptions[0] ?? {};
    send?.next({ data: null, errors: [{ message: 'broken' }] });
    send?.next({ data: { stock: stock(1) } });
    expect(seen).toEqual([
      [undefined, 'broken'],
      [{ stock: stock(1) }, undefined],
    ]);
    expect(fake.active).toHaveLength(1);
  });

  it.each([
    ['the graph', [{ message: 'no' }], true],
    ['the client', [], false],
  ])('ends a subscription with an error of %s', (_, errors, isGraphQL) => {
    const seen: unknown[] = [];
    const complete = vi.fn();
    apollo
      .subscribe({ query: CHANGED })
      .subscribe({ next: ({ error }) => seen.push(error), complete });
    fake.subscriptions[0]?.send.error(new ClientError('no', { code: 'FORBIDDEN', errors }));
    expect(seen).toMatchObject([{ message: 'no' }]);
    expect(CombinedGraphQLErrors.is(seen[0])).toBe(isGraphQL);
    expect(complete).toHaveBeenCalledOnce();
  });

  it('completes with the stream', () => {
    const complete = vi.fn();
    apollo.subscribe({ query: CHANGED }).subscribe({ complete });
    fake.subscriptions[0]?.send.complete();
    expect(complete).toHaveBeenCalledOnce();
  });

  it('passes data, errors and headers of a mutation', async () => {
    const mutation = gql`mutation Add { addStock { id quantity } }`;
    const context = { headers: { 'idempotency-key': 'k' } };
    const result = apollo.mutate({ mutation, context, errorPolicy: 'all' });
    await vi.waitFor(() => expect(fake.queries).toHaveLength(1));
    expect(fake.queries[0]?.headers).toEqual(context.headers);
    const data = { addStock: null };
    const errors = [{ message: 'exists', extensions: { code: 'ALREADY_EXISTS' } }];
    fake.queries[0]?.fail(new ClientError('exists', { code: 'ALREADY_EXISTS', errors, data }));
    const { data: received, error } = await result;
    expect(received).toEqual(data);
    expect(CombinedGraphQLErrors.is(error) && error.errors).toEqual(errors);
  });

  it('fails with the error of a query without response, and aborts a query that is left', async () => {
    const result = apollo.query({ query: STOCKS });
    await vi.waitFor(() => expect(fake.queries).toHaveLength(1));
    const error = new ClientError('offline', { code: 'NETWORK_ERROR' });
    fake.queries[0]?.fail(error);
    await expect(result).rejects.toBe(error);

    const request = { query: STOCKS };
    const link = ApolloLink.execute(createLiveLink(fake.client), request, { client: apollo });
    const onError = vi.fn();
    link.subscribe({ error: onError }).unsubscribe();
    expect(fake.queries[1]?.signal?.aborted).toBe(true);
    await Promise.resolve();
    expect(onError).not.toHaveBeenCalled();
  });
});
