import type { Fetcher } from '@graphiql/toolkit';
import { beforeEach, expect, it, vi } from 'vitest';
import { authorizeConnection } from './authorize-connection.ts';

let params: () => object;
let terminated: number;
let sent: ReturnType<typeof vi.fn<Fetcher>>;
let fetcher: Fetcher;

beforeEach(() => {
  terminated = 0;
  sent = vi.fn<Fetcher>();
  fetcher = authorizeConnection(
    (connectionParams) => {
      params = connectionParams;
      return {
        terminate: () => {
          terminated += 1;
        },
      };
    },
    () => sent,
  );
});

const send = (headers?: Record<string, string>) =>
  fetcher({ query: 'subscription { x }' }, headers ? { headers } : undefined);

it('sends no token without an authorization header', () => {
  send();
  send({ accept: 'x', authorization: '' });
  expect([params(), terminated]).toEqual([{}, 0]);
});

it('opens a new connection for another token, with any case of the header name', () => {
  send({ Authorization: 'Bearer a' });
  expect([params(), terminated]).toEqual([{ authorization: 'Bearer a' }, 1]);
  send({ authorization: 'Bearer a' });
  expect(terminated).toBe(1);
  send({ authorization: 'Bearer b' });
  expect([params(), terminated]).toEqual([{ authorization: 'Bearer b' }, 2]);
  send();
  expect([params(), terminated]).toEqual([{}, 3]);
});

it('passes the operation and all headers to the fetcher', () => {
  send({ authorization: 'Bearer a' });
  expect(sent).toHaveBeenCalledWith(
    { query: 'subscription { x }' },
    { headers: { authorization: 'Bearer a' } },
  );
});
