import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { eventually } from '@gudang/testing/eventually';
import { createRandom, type Random, seedOf } from '@gudang/testing/random';
import { WebSocket } from 'ws';

/** Protocols of streams. */
const PROTOCOLS = [
  'websocket',
  'text/event-stream',
  'multipart/mixed;subscriptionSpec=1.0',
] as const;
type Protocol = (typeof PROTOCOLS)[number];

const FEED =
  'subscription ($m: String!, $count: Int!, $size: Int!) { feed(marker: $m, count: $count, size: $size) { n text } }';
/** A query with an answer of about 1.5 MB. */
const LARGE = `query ($m: String!, $t: String) { echo(marker: $m, text: $t) { ${Array.from({ length: 90 }, (_, index) => `a${index}: text`).join(' ')} } }`;
const LARGE_TEXT = 'x'.repeat(16_000);

const HEALTHY_EACH = 2;
const HEALTHY_EVENTS = 300;
const HEALTHY_MS = 60_000;
/** Metrics that must return to 0 once all clients have left. */
const GAUGES = [
  'gateway_live_clients',
  'gateway_live_streams',
  'gateway_live_upstreams',
  'gateway_live_queued',
  'gateway_memory_bytes',
];

/** How a slow client behaves after its request. */
const BEHAVIORS = [
  'never reads',
  'reads a little',
  'reads, then stops',
  'resets',
  'half-closes',
  'sends half a request',
] as const;

export interface SlowRun {
  readonly seed: number;
  /** Number of slow clients. */
  readonly clients: number;
}

/**
 * Runs clients that read slowly, stop reading, or leave, on every protocol, beside healthy clients
 * that must receive all events. @returns the findings, one line each
 */
export async function runSlowClients(port: number, { seed, clients }: SlowRun): Promise<string[]> {
  const findings: string[] = [];
  const slow = Array.from({ length: clients }, (_, number) =>
    startSlowClient(port, createRandom(seedOf(seed, `slow ${number}`)), `slow${number}`),
  );
  const healthy = PROTOCOLS.flatMap((protocol) =>
    Array.from({ length: HEALTHY_EACH }, (_, number) =>
      receiveFeed(port, protocol, `healthy ${protocol} ${number}`),
    ),
  );
  for (const [index, received] of (await Promise.all(healthy)).entries()) {
    const protocol = PROTOCOLS[Math.floor(index / HEALTHY_EACH)];
    const isWhole = received.length === HEALTHY_EVENTS && received.every((n, at) => n === at + 1);
    if (!isWhole)
      findings.push(
        `a healthy client (${protocol}) received ${received.length} of ${HEALTHY_EVENTS} events: ${received.slice(0, 10).join(' ')} … ${received.at(-1)}`,
      );
  }
  for (const leave of slow) leave();
  await eventually(
    () => gaugesOf(port),
    (gauges) => Object.values(gauges).every((value) => value === 0),
    { until: 'the gauges are 0 after all clients have left', within: 30_000 },
  ).catch((error: unknown) => findings.push(String(error)));
  return findings;
}

async function gaugesOf(port: number): Promise<Record<string, number>> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const lines = text
    .split('\n')
    .filter((line) => GAUGES.some((name) => line.startsWith(`${name}{`)));
  return Object.fromEntries(
    lines.map((line): [string, number] => {
      const at = line.lastIndexOf(' ');
      return [line.slice(0, at), Number(line.slice(at + 1))];
    }),
  );
}

/** Starts a slow client. @returns a function that ends it */
function startSlowClient(port: number, random: Random, marker: string): () => void {
  const behavior = random.pick(BEHAVIORS);
  const variables = { m: marker, count: random.pick([50, 2_000]), size: random.pick([10, 5_000]) };
  const protocol = random.pick([...PROTOCOLS, 'application/json'] as const);
  if (protocol === 'websocket') return startSlowSocket(port, behavior, variables);
  const payload =
    protocol === 'application/json'
      ? { query: LARGE, variables: { m: marker, t: LARGE_TEXT } }
      : { query: FEED, variables };
  const body = JSON.stringify(payload);
  const request = `POST /graphql HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\naccept: ${protocol}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
  const socket = connect(port, '127.0.0.1', () => {
    socket.write(
      behavior === 'sends half a request' ? request.slice(0, -body.length / 2) : request,
    );
    if (behavior === 'half-closes') socket.end();
    if (behavior === 'resets') setTimeout(() => socket.resetAndDestroy(), random.between(0, 200));
  });
  socket.on('error', () => {});
  const stop = startReading(behavior, socket);
  return () => {
    stop();
    socket.destroy();
  };
}

function startSlowSocket(port: number, behavior: string, variables: object): () => void {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/graphql`, 'graphql-transport-ws');
  socket.on('error', () => {});
  socket.on('open', () => socket.send('{"type":"connection_init"}'));
  socket.once('message', () => {
    for (let id = 1; id <= 5; id += 1) {
      socket.send(
        JSON.stringify({ id: `${id}`, type: 'subscribe', payload: { query: FEED, variables } }),
      );
    }
    if (behavior === 'resets') setTimeout(() => socket.terminate(), 50);
    if (behavior === 'half-closes') socket.close(1000);
    if (behavior !== 'half-closes') stop = startReading(behavior, socket);
  });
  let stop = (): void => {};
  return () => {
    stop();
    socket.terminate();
  };
}

/** Reads as the behavior says. @returns a function that stops it */
function startReading(
  behavior: string,
  source: { pause: () => unknown; resume: () => unknown },
): () => void {
  if (behavior === 'half-closes' || behavior === 'resets') {
    source.resume();
    return () => {};
  }
  source.pause();
  if (behavior === 'never reads' || behavior === 'sends half a request') return () => {};
  const everyMs = behavior === 'reads a little' ? 100 : 5;
  let turns = 0;
  const timer = setInterval(() => {
    turns += 1;
    if (behavior === 'reads, then stops' && turns > 20) return;
    source.resume();
    setImmediate(() => source.pause());
  }, everyMs);
  return () => clearInterval(timer);
}

/** Receives a whole feed. @returns the numbers of its events */
async function receiveFeed(port: number, protocol: Protocol, marker: string): Promise<number[]> {
  const payload = { query: FEED, variables: { m: marker, count: HEALTHY_EVENTS, size: 500 } };
  if (protocol === 'websocket') return receiveOverSocket(port, payload);
  const response = await fetch(`http://127.0.0.1:${port}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: protocol },
    body: JSON.stringify(payload),
    signal: AbortSignal.timeout(HEALTHY_MS),
  });
  return [...(await response.text()).matchAll(/"n":(\d+)/g)].map(([, n]) => Number(n));
}

async function receiveOverSocket(port: number, payload: object): Promise<number[]> {
  const received: number[] = [];
  const socket = new WebSocket(`ws://127.0.0.1:${port}/graphql`, 'graphql-transport-ws');
  await once(socket, 'open');
  socket.send('{"type":"connection_init"}');
  await once(socket, 'message');
  const over = new Promise((resolve) => {
    socket.on('close', resolve);
    socket.on('message', (data) => {
      const { type, payload: result } = JSON.parse(String(data));
      if (type === 'next') received.push(result.data?.feed.n);
      if (type === 'complete' || type === 'error') resolve(undefined);
    });
  });
  socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload }));
  await Promise.race([over, pause(HEALTHY_MS, undefined, { ref: false })]);
  socket.terminate();
  return received;
}
