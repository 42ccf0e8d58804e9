import Fastify from 'fastify';
import { expect, it } from 'vitest';
import { acceptJsonBodies } from './json-body.ts';

const text = (bytes: number): string => JSON.stringify('x'.repeat(bytes));

it('reads large bodies one at a time, and lets other work of the process run in between', async () => {
  const app = Fastify();
  acceptJsonBodies(app, () => undefined);
  const order: string[] = [];
  app.post('/', () => {
    order.push('body');
    setImmediate(() => order.push('other work'));
    return 'read';
  });
  await app.ready();
  const send = async (bytes: number) => {
    const headers = { 'content-type': 'application/json' };
    const { body } = await app.inject({ method: 'POST', url: '/', headers, payload: text(bytes) });
    return body;
  };
  const large = 40 * 1024;
  expect(await Promise.all([send(large), send(large), send(large)])).toEqual(
    Array.from({ length: 3 }, () => 'read'),
  );
  await new Promise((resolve) => setImmediate(resolve));
  expect(order).toEqual(['body', 'other work', 'body', 'other work', 'body', 'other work']);
  await app.close();
});

it('does not read a body that is refused', async () => {
  const app = Fastify();
  acceptJsonBodies(app, async (_request, bytes) => {
    if (bytes > 10) throw Object.assign(new Error('too many'), { statusCode: 429 });
  });
  app.post('/', () => 'read');
  const send = async (bytes: number) => {
    const headers = { 'content-type': 'application/json' };
    const { statusCode } = await app.inject({
      method: 'POST',
      url: '/',
      headers,
      payload: text(bytes),
    });
    return statusCode;
  };
  expect([await send(8), await send(9)]).toEqual([200, 429]);
  await app.close();
});
