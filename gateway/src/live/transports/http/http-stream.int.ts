import { createServer, get, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { openTestAccount } from '../../../testing/test-budget.ts';
import { createPayload } from '../../upstream/live-payload.ts';
import { createEncoders, multipart, serverSentEvents } from './http-format.ts';
import { HttpStream } from './http-stream.ts';

const HEARTBEAT_MS = 20;
const NO_MARKS = { cursor: undefined, key: undefined };
const LARGE = createPayload({ data: { x: 'x'.repeat(64 * 1024) } }, NO_MARKS, { seq: 1 });

let server: Server;
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

/** Starts an HTTP server that opens a stream in every response. */
async function serve(format: typeof multipart, heartbeatMs = HEARTBEAT_MS) {
  const streams: HttpStream[] = [];
  const left = vi.fn();
  server = createServer((_request, response) => {
    const encode = createEncoders(format).plain;
    const stream = new HttpStream({
      response,
      format,
      account: openTestAccount(),
      encode,
      headers: {},
      heartbeatMs,
      onClosed: left,
    });
    stream.attach({ leave: () => {}, resume: () => {} });
    streams.push(stream);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, streams, left };
}

/** Opens a stream whose client does not read, and writes until the stream is not ready. */
async function fillUnread(url: string, streams: readonly HttpStream[]): Promise<HttpStream> {
  const request = get(url);
  request.on('error', () => {});
  request.on('response', (response) => {
    response.on('error', () => {});
    response.pause();
  });
  await vi.waitFor(() => expect(streams).toHaveLength(1));
  const [stream] = streams;
  if (!stream) throw new Error('no stream');
  // Writes more than the kernel buffers for a socket.
  for (let chunks = 0; chunks < 1_000 && stream.ready(); chunks += 1) {
    stream.write([LARGE]);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(stream.ready()).toBe(false);
  return stream;
}

describe.each([
  ['server-sent events', serverSentEvents],
  ['multipart', multipart],
])('a stream of %s', (_name, format) => {
  it('closes the connection of a client that has read nothing during ten heartbeats', async () => {
    const { url, streams, left } = await serve(format);
    await fillUnread(url, streams);
    expect(left).not.toHaveBeenCalled();
    await vi.waitFor(() => expect(left).toHaveBeenCalledTimes(1), { timeout: 5_000 });
  });

  it('closes the connection of a client that reads nothing after the end', async () => {
    const { url, streams, left } = await serve(format, 600_000);
    const stream = await fillUnread(url, streams);
    stream.complete();
    await vi.waitFor(() => expect(left).toHaveBeenCalledTimes(1), { timeout: 5_000 });
  });

  it('keeps the connection of a client that reads, and sends it heartbeats', async () => {
    const { url, streams, left } = await serve(format);
    let text = '';
    const request = get(url, (response) => {
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
    });
    request.on('error', () => {});
    await vi.waitFor(() =>
      expect(text.length).toBeGreaterThan(format.head.length + 15 * format.heartbeat.length),
    );
    expect(left).not.toHaveBeenCalled();
    expect(streams[0]?.ready()).toBe(true);
    request.destroy();
    await vi.waitFor(() => expect(left).toHaveBeenCalledTimes(1));
  });
});
