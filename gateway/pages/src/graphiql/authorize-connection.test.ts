import type { Fetcher } from '@graphiql/toolkit';
import { beforeEach, expect, it, vi } from 'vitest';
import { authoriseConnection } from './authorize-connection.ts';

let params: () => object;
let terminated: number;
let sent: ReturnType<typeof vi.fn<Fetcher>>;
let fetcher: Fetcher;

beforeEach(() => {
  terminated = 0;
  sent = vi.fn<Fetcher>();
  fetcher = authoriseConnection(
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

const ask = (headers?: Record<string, string>) =>
  fetcher({ query: 'subscription { x }' }, headers ? { headers } : undefined);

it('shows no token where the headers have none', () => {
  ask();
  ask({ accept: 'x', authorization: '' });
  expect([params(), terminated]).toEqual([{}, 0]);
});

it('shows the token of the headers, whatever their case, over a connection of its own', () => {
  ask({ Authorization: 'Bearer a' });
  expect([params(), terminated]).toEqual([{ authorization: 'Bearer a' }, 1]);
  ask({ authorization: 'Bearer a' });
  expect(terminated).toBe(1);
  ask({ authorization: 'Bearer b' });
  expect([params(), terminated]).toEqual([{ authorization: 'Bearer b' }, 2]);
  ask();
  expect([params(), terminated]).toEqual([{}, 3]);
});

it('hands on what is asked, with all headers', () => {
  ask({ authorization: 'Bearer a' });
  expect(sent).toHaveBeenCalledWith(
    { query: 'subscription { x }' },
    { headers: { authorization: 'Bearer a' } },
  );
});
