import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { eventually } from '@gudang/testing/eventually';
import { useSystem } from '@gudang/testing/system/use-system';
import { expect, test } from 'vitest';

const system = useSystem();
const script = fileURLToPath(new URL('demo.ts', import.meta.url));

/** Runs the script of `npm run demo` against the test system's gateway. */
function startDemo(...args: string[]) {
  const { PATH } = process.env;
  const child = spawn(process.execPath, ['--import', 'tsx', script, ...args], {
    env: { PATH, GATEWAY_URL: `${system().gateway.url}/graphql` },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let written = '';
  child.stdout.on('data', (chunk: Buffer) => {
    written += chunk;
  });
  const problems = text(child.stderr);
  const ended = once(child, 'close').then(async ([code]) => ({
    code: code as number,
    output: written,
    problems: await problems,
  }));
  return { stop: () => child.kill('SIGINT'), output: () => written, ended };
}

test('follows one order through the whole system', async () => {
  const { code, output, problems } = await startDemo().ended;
  expect({ code, problems }).toEqual({ code: 0, problems: '' });
  expect(output).toMatch(/Order to push +\d+\.\d ms after the request/);
  expect(output).toContain('All checks passed');
});

test('--traffic reports SIGKILL of the gateway as an outage, continues afterwards, and counts orders correctly', async () => {
  const { gateway } = system();
  const demo = startDemo('--traffic', '10');
  const waitForOutput = (pattern: RegExp) =>
    eventually(demo.output, (output) => pattern.test(output), {
      until: `the output matches ${pattern}`,
      within: 40_000,
    });
  await waitForOutput(/10 orders per second for \d+ stocks/);
  await waitForOutput(/[1-9]\d* confirmed/);
  gateway.kill();
  await gateway.exited;
  await waitForOutput(/The gateway is unavailable \(.+\)\. Retrying\./);
  await gateway.restart();
  await waitForOutput(/The gateway is available again/);
  demo.stop();
  const { code, output, problems } = await demo.ended;
  expect({ code, problems }).toEqual({ code: 0, problems: '' });
  const summary =
    /(\d+) orders in \d+ s: \d+ confirmed, \d+ rejected, (?:all decided|\d+ pending)(?:, (\d+) more without a response)?\n$/;
  const [, taken = 'none', unanswered = '0'] = summary.exec(output) ?? [];
  expect(Number(taken), output).toBeGreaterThan(0);
  // No order was created twice: the database has at least all acknowledged orders, and at most these and
  // the unanswered ones.
  const [row] = await system().databases.order(
    'SELECT count(*)::int AS count FROM orders WHERE idempotency_key IS NOT NULL',
  );
  expect(row?.['count']).toBeGreaterThanOrEqual(Number(taken));
  expect(row?.['count']).toBeLessThanOrEqual(Number(taken) + Number(unanswered));
});

test('rejects an invalid rate with a readable message', async () => {
  const { code, problems } = await startDemo('--traffic', 'much').ended;
  expect(code).toBe(1);
  expect(problems).toMatch(/^--traffic: "much" is not allowed\nUsage: npm run demo/);
});
