/**
 * Many clients cut and going on from different cursors while stocks change, against a running
 * system: `GATEWAY=http://127.0.0.1:4000 tsx tests/bench/live-resume.ts [clients] [seconds]`.
 * With `KILL=<process id of the stock subgraph>` that is killed after a third of the time, and
 * clients stay connected; whoever started it starts it again.
 */
import { argv, env, exit, kill, stdout } from 'node:process';
import { setTimeout as pause } from 'node:timers/promises';
import { createWatchingClient } from './live/watching-client.ts';

const GATEWAY = env['GATEWAY'] ?? 'http://127.0.0.1:4000';
const CLIENTS = Number(argv[2] ?? 500);
const SECONDS = Number(argv[3] ?? 15);
const KILL = Number(env['KILL'] ?? 0);
const STOCKS = 100;
const CHANGES_A_SECOND = 100;

async function ask(query: string, variables: object = {}) {
  const response = await fetch(`${GATEWAY}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = (await response.json()) as { data: never; errors?: unknown };
  if (errors) throw new Error(JSON.stringify(errors));
  return data as Record<string, { id: string; version: number }> & { stockCursor: string };
}

async function upstreams(): Promise<number> {
  const text = await (await fetch(`${GATEWAY}/metrics`)).text();
  return Number(/^gateway_live_upstreams\{.*\} (\d+)/m.exec(text)?.[1]);
}

const run = Date.now().toString(36);
const ids = Array.from({ length: STOCKS }, (_, index) => `resume-${run}-${index}`);
for (const id of ids) {
  await ask('mutation ($id: ID!) { addStock(input: {id: $id, name: "x", quantity: 1}) { id } }', {
    id,
  });
}
const { stockCursor } = await ask('{ stockCursor }');
const url = `${GATEWAY.replace('http', 'ws')}/graphql`;
const clients = Array.from({ length: CLIENTS }, () =>
  createWatchingClient(url, { after: stockCursor }),
);
for (let at = 0; at < CLIENTS; at += 50) {
  await Promise.all(clients.slice(at, at + 50).map((one) => one.connect()));
}
stdout.write(`${CLIENTS} clients watch\n`);

let changes = 0;
let refused = 0;
const until = performance.now() + SECONDS * 1000;
const write = async (): Promise<void> => {
  const from = performance.now();
  for (let due = from; due < until; due += 1000 / CHANGES_A_SECOND) {
    await pause(Math.max(0, due - performance.now()));
    const id = ids[changes % STOCKS] ?? '';
    changes += 1;
    await ask('mutation ($id: ID!) { adjustStock(id: $id, delta: 1) { id } }', { id }).catch(() => {
      refused += 1;
    });
  }
};
const killOnce = async (): Promise<void> => {
  await pause((SECONDS * 1000) / 3);
  kill(KILL, 'SIGKILL');
};
const stored = async (): Promise<Map<string, number>> => {
  const found = new Map<string, number>();
  for (const id of ids) {
    const { stock } = await ask('query ($id: ID!) { stock(id: $id) { id version } }', { id });
    if (stock) found.set(id, stock.version);
  }
  return found;
};
let cuts = 0;
const cutAndComeBack = async (): Promise<void> => {
  while (performance.now() < until - 1000) {
    const some = clients.filter(() => Math.random() < 0.2);
    for (const one of some) one.cut();
    await pause(Math.random() * 1500);
    for (const one of some) await one.connect();
    cuts += some.length;
  }
};
await Promise.all([write(), KILL > 0 ? killOnce() : cutAndComeBack()]);
if (KILL === 0) {
  // All at once, at the end: and then nothing happens any more.
  for (const one of clients) one.cut();
  await Promise.all(clients.map((one) => one.connect()));
  cuts += CLIENTS;
}
const from = performance.now();
while ((await upstreams()) !== 1 && performance.now() - from < 60_000) await pause(100);
stdout.write(
  `${changes} changes, ${refused} of them refused, ${cuts} cuts; 1 upstream again after ${((performance.now() - from) / 1000).toFixed(1)} s (now ${await upstreams()})\n`,
);

const newest = await stored();
const isBehind = (one: (typeof clients)[number]): boolean =>
  [...newest].some(([id, version]) => one.versions.get(id) !== version);
const caughtUpBy = performance.now() + 10_000;
while (clients.some(isBehind) && performance.now() < caughtUpBy) await pause(100);
const faults = clients.flatMap((one) => one.faults);
const behind = clients.filter(isBehind);
const uncounted = clients.filter((one) => one.missing() !== one.conflated());
stdout.write(
  `faults ${faults.length}, clients behind ${behind.length}, with events neither received nor counted ${uncounted.length}\n`,
);
for (const fault of faults.slice(0, 5)) stdout.write(`${fault}\n`);
for (const one of clients) one.cut();
exit(faults.length + behind.length + uncounted.length === 0 ? 0 : 1);
