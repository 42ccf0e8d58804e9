import { type AnyVariables, Client, fetchExchange, type OperationResult } from '@urql/core';
import { describe, expect, it, vi } from 'vitest';
import { ClientError } from '../client-error.ts';
import { FakeClient, type SentSubscription } from '../testing/fake-client.ts';
import { liveExchange } from './live-exchange.ts';

const CHANGED = 'subscription Changed($ids: [ID!]) { stock(ids: $ids) { id quantity } }';

describe('liveExchange', () => {
  const fakes = (enableAllOperations = false) => {
    const fake = new FakeClient();
    const fetch = vi.fn(async () => Response.json({ data: { n: 1 } }));
    const urql = new Client({
      url: 'http://graph.example/graphql',
      exchanges: [liveExchange(fake.client, { enableAllOperations }), fetchExchange],
      fetch,
      preferGetMethod: false,
    });
    return { fake, fetch, urql };
  };
  const subscribe = async (context = {}) => {
    const { fake, urql } = fakes();
    const seen: OperationResult<unknown, AnyVariables>[] = [];
    const watching = urql
      .subscription(CHANGED, { ids: ['a'] }, context)
      .subscribe((result) => seen.push(result));
    await vi.waitFor(() => expect(fake.subscriptions).toHaveLength(1));
    const [{ send }] = fake.subscriptions as [SentSubscription];
    return { fake, seen, send, watching };
  };

  it('passes the changes of a stream, and stops the stream', async () => {
    const { fake, seen, send, watching } = await subscribe({ live: { after: 'c1' } });
    expect(fake.active).toMatchObject([{ variables: { ids: ['a'] }, after: 'c1' }]);
    expect(fake.active[0]?.document).toContain('subscription Changed');
    send.next({ data: null, snapshot: { phase: 'begin', complete: true, reset: false } });
    send.next({ data: { n: 1 }, cursor: 'c2', conflated: 3 });
    expect(seen).toMatchObject([
      { data: { n: 1 }, extensions: { live: { cursor: 'c2', conflated: 3 } } },
    ]);
    watching.unsubscribe();
    expect(fake.active).toEqual([]);
  });

  it('passes the errors of an event with this event only', async () => {
    const { seen, send, watching } = await subscribe();
    send.next({ data: null, errors: [{ message: 'broken' }] });
    send.next({ data: { n: 1 } });
    send.next({ data: { n: 2 } });
    expect(seen.map(({ data, error }) => [data, error?.message])).toEqual([
      [null, '[GraphQL] broken'],
      [{ n: 1 }, undefined],
      [{ n: 2 }, undefined],
    ]);
    watching.unsubscribe();
  });

  it.each([
    ['the graph', [{ message: 'no' }], '[GraphQL] no'],
    ['the client', [], '[Network] no'],
  ])('ends a subscription with an error of %s', async (_, errors, message) => {
    const { fake, seen, send } = await subscribe();
    send.error(new ClientError('no', { code: 'FORBIDDEN', errors }));
    expect(seen).toMatchObject([{ error: { message } }]);
    expect(fake.active).toEqual([]);
  });

  it('leaves queries to the next exchange by default', async () => {
    const { fake, fetch, urql } = fakes();
    expect((await urql.query('{ n }', {}).toPromise()).data).toEqual({ n: 1 });
    expect(fetch).toHaveBeenCalledOnce();
    expect(fake.queries).toEqual([]);
  });

  it('sends queries and mutations with the client on request', async () => {
    const { fake, fetch, urql } = fakes(true);
    const result = urql.mutation('mutation { add { n } }', {}).toPromise();
    await vi.waitFor(() => expect(fake.queries).toHaveLength(1));
    const errors = [{ message: 'exists' }];
    fake.queries[0]?.fail(new ClientError('exists', { code: 'E', errors, data: { add: null } }));
    expect(await result).toMatchObject({
      data: { add: null },
      error: { message: '[GraphQL] exists' },
    });
    const left = urql.query('{ n }', {}).subscribe(() => {});
    await vi.waitFor(() => expect(fake.queries).toHaveLength(2));
    left.unsubscribe();
    expect(fake.queries[1]?.signal?.aborted).toBe(true);
    const failing = urql.query('{ m }', {}).toPromise();
    await vi.waitFor(() => expect(fake.queries.at(-1)?.document).toContain('m'));
    fake.queries.at(-1)?.fail(new ClientError('offline', { code: 'NETWORK_ERROR' }));
    expect(await failing).toMatchObject({ error: { networkError: { code: 'NETWORK_ERROR' } } });
    expect(fetch).not.toHaveBeenCalled();
  });
});
