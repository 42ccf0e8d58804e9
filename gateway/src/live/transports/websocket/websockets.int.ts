import { once } from 'node:events';
import { get } from 'node:http';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import {
  ANSWER,
  startWebsocketRig,
  type WebsocketRigOptions,
} from '../../../testing/websocket-rig.ts';

let stop = async (): Promise<void> => {};
afterEach(() => stop());

async function serve(options?: WebsocketRigOptions) {
  const rig = await startWebsocketRig(options);
  stop = rig.stop;
  return rig;
}

async function closeCode(socket: WebSocket): Promise<number> {
  const [code] = await once(socket, 'close');
  return code;
}

describe('the websocket server', () => {
  it('rejects an unknown subprotocol with 4406 and another path with 404', async () => {
    const { open } = await serve();
    const [error] = await once(open('/other'), 'error');
    expect(String(error)).toContain('404');
    expect(await closeCode(open('/graphql', ''))).toBe(4406);
  });

  it('rejects a malformed handshake with the default headers', async () => {
    const { url } = await serve();
    const headers = { connection: 'upgrade', upgrade: 'websocket', 'sec-websocket-version': '13' };
    const [response] = await once(get(`${url}/graphql`, { headers }), 'response');
    response.resume();
    expect(response.statusCode).toBe(400);
    expect(response.headers).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      'x-content-type-options': 'nosniff',
    });
  });

  it('closes a connection with 1009 after a message over 64 KiB', async () => {
    const { open } = await serve();
    const socket = open();
    await once(socket, 'open');
    socket.send('x'.repeat(64 * 1024 + 1));
    expect(await closeCode(socket)).toBe(1009);
  });

  it('closes only the connection that repeats a long id of multi-byte characters', async () => {
    const { open } = await serve();
    const [culprit, other] = [open(), open()];
    await Promise.all([once(culprit, 'open'), once(other, 'open')]);
    culprit.send(JSON.stringify({ type: 'connection_init' }));
    const message = {
      id: 'é'.repeat(100),
      type: 'subscribe',
      payload: { query: 'subscription { x }' },
    };
    for (let count = 0; count < 2; count += 1) culprit.send(JSON.stringify(message));
    const [code, reason] = await once(culprit, 'close');
    expect(code).toBe(4409);
    expect(String(reason)).toBe(`Subscriber for ${'é'.repeat(54)}`);
    other.send(JSON.stringify({ type: 'ping' }));
    expect(JSON.parse(String((await once(other, 'message'))[0]))).toEqual({ type: 'pong' });
  });

  it('closes with 4500 only the connection whose message causes an exception', async () => {
    const present = () => {
      throw new Error('a defect');
    };
    const { open } = await serve({ present });
    const [culprit, other] = [open(), open()];
    await Promise.all([once(culprit, 'open'), once(other, 'open')]);
    culprit.send(JSON.stringify({ type: 'connection_init' }));
    culprit.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query: '{' } }));
    expect(await closeCode(culprit)).toBe(4500);
    other.send(JSON.stringify({ type: 'ping' }));
    expect(JSON.parse(String((await once(other, 'message'))[0]))).toEqual({ type: 'pong' });
  });

  it('ends the streams of a client that has vanished without a close frame', async () => {
    // This interval is long enough for the other client's pong on a busy machine.
    const { open, left } = await serve({ pingEveryMs: 500 });
    const [silent, alive] = [open('/graphql', undefined, true), open()];
    await Promise.all([once(silent, 'open'), once(alive, 'open')]);
    silent.send('{"type":"connection_init"}');
    silent.send('{"id":"1","type":"subscribe","payload":{"query":"subscription { x }"}}');
    expect(await closeCode(silent)).toBe(1006);
    await vi.waitFor(() => expect(left).toHaveBeenCalledTimes(1));
    await once(alive, 'ping');
    expect(alive.readyState).toBe(WebSocket.OPEN);
  });

  it('closes an idle connection with a code after which clients reconnect', async () => {
    const { open } = await serve({ pingEveryMs: 100, idleMs: 300 });
    const [idle, busy] = [open(), open()];
    await Promise.all([once(idle, 'open'), once(busy, 'open')]);
    busy.send('{"type":"connection_init"}');
    busy.send('{"id":"1","type":"subscribe","payload":{"query":"subscription { x }"}}');
    expect(await closeCode(idle)).toBe(4482);
    await once(busy, 'ping');
    expect(busy.readyState).toBe(WebSocket.OPEN);
    busy.send('{"id":"1","type":"complete"}');
    expect(await closeCode(busy)).toBe(4482);
  });

  it('stops reading from a client that sends queries but does not read the results', async () => {
    const body = `{"data":{"x":"${'x'.repeat(100_000)}"}}`;
    const asked = vi.fn(async () => ({ ...ANSWER, body }));
    const { open } = await serve({ requests: { answer: asked } });
    const socket = open();
    await once(socket, 'open');
    socket.send('{"type":"connection_init"}');
    socket.pause();
    for (let id = 0; id < 1_500; id += 1) {
      const payload = { query: '{ x }', variables: { pad: 'x'.repeat(2_000) } };
      socket.send(JSON.stringify({ id: String(id), type: 'subscribe', payload }));
    }
    // Waits until the number of executed queries is stable, because the gateway has then stopped
    // reading.
    let before = -1;
    await vi.waitFor(
      () => {
        const calls = asked.mock.calls.length;
        const still = calls === before && calls > 0;
        before = calls;
        expect(still).toBe(true);
      },
      { interval: 500, timeout: 10_000 },
    );
    expect(before).toBeLessThan(500);
    const answers = new Promise<void>((resolve) => {
      let complete = 0;
      socket.on('message', (data) => {
        if (String(data).includes('"complete"')) complete += 1;
        if (complete === 1_500) resolve();
      });
    });
    socket.resume();
    await answers;
  });

  it('closes connections with 1001 and answers /readyz with 503 when the gateway stops', async () => {
    const { url, open, stop } = await serve();
    const socket = open();
    await once(socket, 'open');
    const code = closeCode(socket);
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    const stopping = stop();
    expect((await fetch(`${url}/readyz`)).status).toBe(503);
    expect(await code).toBe(1001);
    await stopping;
  });
});
