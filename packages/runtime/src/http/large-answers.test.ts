import { text as readText } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createHealth } from '../health.ts';
import { createMetrics } from '../metrics.ts';
import { createHttpServer } from './http-server.ts';
import { readInParts } from './large-answers.ts';

describe('a text that is read in parts', () => {
  it.each([
    ['ASCII', 'x'],
    ['surrogate pairs', '😀'],
    ['surrogate pairs after one letter', 'x', '😀'],
    ['lone surrogates', '\ud83d'],
  ])('is complete: %s', async (_name, first, rest = first) => {
    const text = first + rest.repeat(300_000);
    const parts: Buffer[] = [];
    for await (const part of readInParts(text)) parts.push(part);
    expect(parts.length).toBeGreaterThan(4);
    expect(Buffer.concat(parts).equals(Buffer.from(text))).toBe(true);
  });

  it('lets other work run between two parts', async () => {
    const order: string[] = [];
    let isRead = false;
    const count = (): void => {
      order.push('other');
      if (!isRead) setImmediate(count);
    };
    setImmediate(count);
    for await (const _part of readInParts('x'.repeat(300_000))) order.push('part');
    isRead = true;
    expect(order.join(' ')).not.toContain('part part');
  });

  it('encodes nothing for a reader that takes nothing', async () => {
    const stream = readInParts('x'.repeat(1_000_000));
    stream.once('readable', () => {});
    for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(stream.readableLength).toBeLessThanOrEqual(64 * 1024);
    stream.destroy();
  });
});

describe('a large answer', () => {
  let app: ReturnType<typeof createHttpServer>;
  beforeEach(() => {
    app = createHttpServer({ health: createHealth(), metrics: createMetrics('test') });
  });
  afterEach(() => app.close());

  it('is sent whole, with its length', async () => {
    const body = JSON.stringify({ text: 'ä😀'.repeat(200_000) });
    app.get('/large', (_request, reply) => reply.type('application/json').send(body));
    const url = await app.listen({ host: '127.0.0.1', port: 0 });
    const response = await fetch(`${url}/large`);
    expect(response.headers.get('content-length')).toBe(String(Buffer.byteLength(body)));
    expect(response.headers.get('content-type')).toContain('application/json');
    expect(await response.text()).toBe(body);
  });

  it('ends when its client leaves', async () => {
    const closed = new Promise<void>((resolve) => {
      app.get('/large', (_request, reply) => {
        reply.raw.once('close', resolve);
        return reply.send('x'.repeat(64 * 1024 * 1024));
      });
    });
    const url = await app.listen({ host: '127.0.0.1', port: 0 });
    const leaving = new AbortController();
    const response = await fetch(`${url}/large`, { signal: leaving.signal });
    leaving.abort();
    await expect(response.text()).rejects.toThrow();
    await closed;
  });

  it('has no body for HEAD', async () => {
    app.get('/large', (_request, reply) => reply.send('x'.repeat(1_000_000)));
    const url = await app.listen({ host: '127.0.0.1', port: 0 });
    const response = await fetch(`${url}/large`, { method: 'HEAD' });
    expect(response.headers.get('content-length')).toBe('1000000');
    expect(await response.text()).toBe('');
  });
});

it('is a stream of bytes', async () => {
  expect(await readText(readInParts('äöü'))).toBe('äöü');
});
