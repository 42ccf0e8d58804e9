import { parseArgs } from 'node:util';
import { DemoError, showOneOrder } from './one-order.ts';
import { runTraffic } from './traffic.ts';

const USAGE = 'npm run demo [-- --traffic <orders per second, 1 to 500>]';
const MOST = 500;
const url = process.env['GATEWAY_URL']?.trim() || 'http://localhost:4000/graphql';

/** @throws {DemoError} with a message for the user */
async function run(): Promise<void> {
  const rate = readRate();
  if (!URL.canParse(url)) throw new DemoError(`GATEWAY_URL: ${JSON.stringify(url)} is not a URL`);
  if (!(await isReachable())) {
    throw new DemoError(
      `The gateway at ${url} is unavailable: start it with npm start, or set GATEWAY_URL to its address`,
    );
  }
  await (rate === undefined ? showOneOrder(url) : runTraffic(url, rate));
}

/** Returns the rate in orders per second; undefined without `--traffic`. */
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

/**
 * Returns whether a server responds at the URL. If the server is not the gateway, the demo fails later
 * with its own message.
 */
async function isReachable(): Promise<boolean> {
  return fetch(url, { method: 'HEAD', signal: AbortSignal.timeout(5_000) }).then(
    () => true,
    () => false,
  );
}

try {
  await run();
} catch (error) {
  const { message } = error as Error;
  const text = error instanceof DemoError ? message : `The demo failed: ${message}`;
  process.stderr.write(`${text}\n`);
  process.exitCode = 1;
}
