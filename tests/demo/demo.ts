import { parseArgs } from 'node:util';
import { DemoError } from './expect-that.ts';
import { showOneOrder } from './one-order.ts';
import { runTraffic } from './traffic.ts';

const USAGE = 'npm run demo [-- --traffic <orders a second, 1 to 500>]';
const MOST = 500;
const url = process.env['GATEWAY_URL']?.trim() || 'http://localhost:4000/graphql';

/** @throws {DemoError} in words for people */
async function run(): Promise<void> {
  const rate = readRate();
  if (!URL.canParse(url)) throw new DemoError(`GATEWAY_URL: ${JSON.stringify(url)} is no URL`);
  if (!(await isThere())) {
    throw new DemoError(
      `Nothing answers at ${url}: start it with npm start, or set GATEWAY_URL to where it runs`,
    );
  }
  await (rate === undefined ? showOneOrder(url) : runTraffic(url, rate));
}

/** Undefined without `--traffic`. */
function readRate(): number | undefined {
  let given: string | undefined;
  try {
    given = parseArgs({ options: { traffic: { type: 'string' } } }).values.traffic;
  } catch (error) {
    throw new DemoError(`${(error as Error).message}\nUsage: ${USAGE}`);
  }
  if (given === undefined) return undefined;
  const rate = Number(given);
  if (rate >= 1 && rate <= MOST) return rate;
  throw new DemoError(`--traffic: ${JSON.stringify(given)} is not allowed\nUsage: ${USAGE}`);
}

/** Whether anything answers there at all; what answers is found out by the demo itself. */
async function isThere(): Promise<boolean> {
  return fetch(url, { method: 'HEAD', signal: AbortSignal.timeout(5_000) }).then(
    () => true,
    () => false,
  );
}

try {
  await run();
} catch (error) {
  const { message } = error as Error;
  const words = error instanceof DemoError ? message : `The demo could not go on: ${message}`;
  process.stderr.write(`${words}\n`);
  process.exitCode = 1;
}
