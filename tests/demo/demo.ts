import { parseArgs } from 'node:util';
import { createDemoGraph, DemoError } from './demo-graph.ts';
import { removeAbandonedProducts } from './demo-products.ts';
import { showOneOrder } from './one-order.ts';
import { runTraffic } from './traffic.ts';

const MOST = 500;
const USAGE = `Usage: npm run demo [-- --traffic <orders per second, 1 to ${MOST}>]

Adds stocks of its own, orders them, and deletes them at the end. It does not change other stocks.
GATEWAY_URL (default: http://localhost:4000/graphql) selects the gateway. If tokens are required,
GUDANG_TOKEN is one with the scopes order:write and stock:write; GUDANG_TOKEN_FILE names a file that
contains it.`;

/** @throws {DemoError} with a message for the user */
async function run(): Promise<void> {
  const { help, rate } = readArguments();
  if (help) {
    process.stdout.write(`${USAGE}\n`);
    return;
  }
  const graph = createDemoGraph(process.env);
  await removeAbandonedProducts(graph);
  await (rate === undefined ? showOneOrder(graph) : runTraffic(graph, rate));
}

/** The rate is in orders per second; undefined without `--traffic`. */
function readArguments(): { help: boolean; rate: number | undefined } {
  const { help = false, traffic } = parseWords();
  if (traffic === undefined) return { help, rate: undefined };
  const rate = Number(traffic);
  if (rate >= 1 && rate <= MOST) return { help, rate };
  throw new DemoError(
    `--traffic: ${JSON.stringify(traffic)} is not a number from 1 to ${MOST}\n${USAGE}`,
  );
}

function parseWords() {
  try {
    return parseArgs({ options: { traffic: { type: 'string' }, help: { type: 'boolean' } } })
      .values;
  } catch (error) {
    throw new DemoError(`${(error as Error).message}\n${USAGE}`);
  }
}

try {
  await run();
} catch (error) {
  const { message } = error as Error;
  const text = error instanceof DemoError ? message : `The demo failed: ${message}`;
  process.stderr.write(`${text}\n`);
  process.exitCode = 1;
}
