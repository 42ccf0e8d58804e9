/**
 * One client that stops reading while 100,000 events of 1,000 keys pass, beside 20 that read; and
 * the same without it. Says what it costs the gateway's memory and the others' waits.
 */
import { randomUUID } from 'node:crypto';
import { env, stdout } from 'node:process';
import { setTimeout as pause } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { startChild, startGateway, usageOf } from './live/child.ts';

const EVENTS = Number(env['EVENTS'] ?? 100_000);
const BURST = 50;
const BURST_EVERY_MS = 10;
const QUERY = 'subscription { ticked { n at text item { id } } }';

async function connect(url: string): Promise<WebSocket> {
  const socket = new WebSocket(url, 'graphql-transport-ws');
  await new Promise((resolve) => socket.once('open', resolve));
  socket.send('{"type":"connection_init"}');
  await new Promise((resolve) => socket.once('message', resolve));
  const payload = { query: QUERY };
  socket.send(JSON.stringify({ id: randomUUID(), type: 'subscribe', payload }));
  return socket;
}

async function run(stalled: boolean): Promise<void> {
  const subgraph = await startChild('subgraph.ts');
  const { port } = await subgraph.ask<{ port: number }>({});
  const address = `http://127.0.0.1:${port}/graphql`;
  const gateway = await startGateway({
    SUPERGRAPH: new URL('live/supergraph.graphql', import.meta.url).pathname,
    SUBGRAPH_URLS: `ticks=${address},ratings=${address}`,
  });
  const clients = await startChild('clients.ts');
  const url = `${gateway.url.replace('http', 'ws')}/graphql`;
  await clients.ask({ open: { url, count: 20, queries: [QUERY] } });
  const slow = await connect(url);
  const newest = new Map<string, number>();
  let received = 0;
  let conflated = 0;
  let code: number | undefined;
  slow.on('close', (given) => {
    code = given;
  });
  slow.on('message', (data) => {
    const { payload } = JSON.parse(String(data));
    const { n, item } = payload.data.ticked;
    received += 1;
    conflated += payload.extensions?.live?.conflated ?? 0;
    newest.set(item.id, n);
  });
  for (let sent = 0; sent < 5_000; sent += BURST) await subgraph.ask({ burst: BURST });
  await pause(1_000);
  await clients.ask({ report: true });
  const before = await usageOf(gateway.pid);
  if (stalled) slow.pause();
  let most = before.rssKib;
  for (let sent = 0; sent < EVENTS; sent += BURST) {
    await Promise.all([subgraph.ask({ burst: BURST }), pause(BURST_EVERY_MS)]);
    if (sent % 5_000 === 0) most = Math.max(most, (await usageOf(gateway.pid)).rssKib);
  }
  await pause(500);
  const report = await clients.ask<{ received: number; latencies: number[] }>({ report: true });
  slow.resume();
  await pause(2_000);
  const latencies = report.latencies.sort((a, b) => a - b);
  const p99 = latencies[Math.floor(latencies.length * 0.99)] ?? Number.NaN;
  const total = EVENTS + 5_000;
  const right = [...newest].filter(([id, n]) => n > total - 1000 && String(n % 1000) === id).length;
  stdout.write(
    `${stalled ? 'one stalled' : 'all read   '}  RSS +${((most - before.rssKib) / 1024).toFixed(1)} MiB, others' p99 ${p99.toFixed(0)} ms, others got ${((100 * report.received) / (EVENTS * 20)).toFixed(1)}%; it got ${received} and ${conflated} conflated of ${total}, newest of ${right} keys${code ? `, closed with ${code}` : ''}\n`,
  );
  slow.terminate();
  for (const one of [clients, gateway, subgraph]) await one.stop();
}

for (const stalled of [false, true, false, true]) await run(stalled);
