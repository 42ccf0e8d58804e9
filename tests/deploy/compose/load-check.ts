import { readFile } from 'node:fs/promises';
import { docker } from './compose-project.ts';
import type { RunningSystem } from './running-system.ts';

const ADDRESSES = 25;
const PER_ADDRESS = 40;
const SECONDS = 5;
const ATTEMPTS = 3;
/** Time for the engine to start the clients, in milliseconds. */
const START_MS = 20_000;

/** Sends 1,000 operations per second from 25 addresses, then 300 per second from one. */
export async function checkLoad(system: RunningSystem, image: string): Promise<void> {
  // The first execution is planned, which counts towards the rate limit of the client that sent it.
  await runClients(system, image, { clients: 1, rate: 1 });
  const many = await runAtFullRate(system, image);
  const sent = ADDRESSES * PER_ADDRESS * SECONDS;
  system.verify(
    `${ADDRESSES * PER_ADDRESS} operations per second from ${ADDRESSES} addresses are not refused`,
    many.answers['200'] === sent && isAtFullRate(many),
    `${JSON.stringify(many.answers)} of ${sent} in ${(many.ms / 1_000).toFixed(1)} s, ${Math.round((sent * 1_000) / many.ms)} per second`,
  );
  const one = await runClients(system, image, { clients: 1, rate: 300 });
  system.verify(
    '300 operations per second from one address are limited',
    (one.answers['RATE_LIMITED'] ?? 0) > 0,
    JSON.stringify(one.answers),
  );
}

const isAtFullRate = ({ ms }: Answers): boolean => ms < SECONDS * 1_200;

/**
 * Repeats the load while the machine is too busy for its rate: the answers then arrive in bursts, and so
 * do the next requests, which are refused.
 */
async function runAtFullRate(system: RunningSystem, image: string): Promise<Answers> {
  for (let attempt = 1; ; attempt += 1) {
    const many = await runClients(system, image, { clients: ADDRESSES, rate: PER_ADDRESS });
    if (isAtFullRate(many) || attempt === ATTEMPTS) return many;
  }
}

interface Answers {
  /** Number of answers by status, or by the code of the error. */
  readonly answers: Readonly<Record<string, number>>;
  /** Time until the last answer, in milliseconds. */
  readonly ms: number;
}

/** Runs clients in containers of the project's network, all at the same time. */
async function runClients(
  { project }: RunningSystem,
  image: string,
  { clients, rate }: { clients: number; rate: number },
): Promise<Answers> {
  const script = await readFile(new URL('./client-load.js', import.meta.url), 'utf8');
  const start = String(Date.now() + (clients > 1 ? START_MS : 4_000));
  const network = `${project.name}_default`;
  const run = ['run', '--rm', '--network', network, image, 'node', '-e', script, '--'];
  const results = await Promise.all(
    Array.from(
      { length: clients },
      async () =>
        JSON.parse(await docker([...run, start, String(SECONDS), String(rate)])) as Answers,
    ),
  );
  const answers: Record<string, number> = {};
  for (const result of results) {
    for (const [answer, count] of Object.entries(result.answers)) {
      answers[answer] = (answers[answer] ?? 0) + count;
    }
  }
  return { answers, ms: Math.max(...results.map(({ ms }) => ms)) };
}
