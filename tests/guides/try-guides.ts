import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type RunningBrowser, startBrowser } from '@gudang/testing/chromium';
import { graphAt } from '@gudang/testing/clients/graph-client';
import { createShopClient } from '@gudang/testing/clients/shop-client';
import { eventually } from '@gudang/testing/eventually';
import { type NpmStart, startNpmStart } from '@gudang/testing/system/npm-start';
import { repository } from '../docs/snippets.ts';
import { addressOf, type GuideProcess, runInGuide } from './guide-process.ts';
import { installGuides } from './guide-workspace.ts';
import { GUIDES, type Guide, type GuideName, readGuide } from './read-guide.ts';

const USAGE = `Follows the guides of docs/guides from an empty folder, command by command, beside its own \`npm start\`.

npm run guides:try                   all guides
npm run guides:try -- react urql     some guides
npm run guides:try -- --lock         writes tests/guides/package-lock.json with the newest versions that the guides allow
`;

const print = (line: string): void => void process.stdout.write(`${line}\n`);
/** Commands that the reader runs in Gudang's folder while the app runs, or that have already been run. */
const ELSEWHERE = /^(?:npm ci|npm start|npm run demo|kill )/;
const KEEPS_RUNNING = /^(?:npx vite|node worker\.js)$/;

interface Surroundings {
  readonly gudang: NpmStart;
  readonly browser: RunningBrowser;
}

/** Follows one guide and prints the time of each command. */
async function follow({ source, steps, created, name }: Guide, around: Surroundings) {
  print(`\n${name}`);
  const parent = await mkdtemp(join(tmpdir(), 'gudang-reader-'));
  const folder = join(parent, created.replace('../', ''));
  const here = (text: string) =>
    text.replaceAll(created, folder).replaceAll('http://localhost:4000', around.gudang.url);
  const began = performance.now();
  let cwd = repository;
  let app: GuideProcess | undefined;
  try {
    for (const step of steps) {
      if ('file' in step) {
        const path = join(folder, step.file);
        await mkdir(dirname(path), { recursive: true });
        await writeFile(path, here(step.content));
      } else if (step.command.startsWith('cd ')) {
        cwd = folder;
      } else if (KEEPS_RUNNING.test(step.command)) {
        const environment = { GRAPH_URL: `${around.gudang.url}/graphql`, LIMIT: '2147483647' };
        app = await timed(step.command, async () => {
          const started = runInGuide(step.command, cwd, environment);
          await survivesKill(started, around);
          return started;
        });
      } else if (!ELSEWHERE.test(step.command)) {
        await timed(step.command, () => runInGuide(here(step.command), cwd).ended);
      }
    }
    print(`${seconds(began)}  ${name}, from the empty folder of ${source}`);
  } finally {
    await app?.stop();
    await rm(parent, { recursive: true, force: true });
  }
}

async function timed<T>(what: string, run: () => Promise<T>): Promise<T> {
  const began = performance.now();
  const result = await run();
  print(`${seconds(began)}  ${what}`);
  return result;
}

const seconds = (since: number): string =>
  `${((performance.now() - since) / 1_000).toFixed(1).padStart(6)} s`;

/** Waits until the app shows a stock, kills the gateway, and waits until the app shows the missed change. */
async function survivesKill(app: GuideProcess, { gudang, browser }: Surroundings): Promise<void> {
  const name = `Kopi ${app.id}`;
  const atStock = createShopClient(graphAt(`${gudang.stockUrl}/graphql`));
  const { id } = await atStock.addStock({ name, quantity: 100 });
  const { shows, close } = await watch(app, browser);
  try {
    await timed('  the app shows a stock', () => shows(name, 100));
    const pid = await gudang.pidOf('gateway');
    if (pid === undefined) throw new Error('The gateway does not run');
    process.kill(pid, 'SIGKILL');
    await atStock.adjustStock(id, -1);
    await timed('  after SIGKILL of the gateway, the app shows the missed change', () =>
      shows(name, 99),
    );
  } finally {
    await close();
  }
}

/** Finds what the app shows: the lines of a worker, or the page at the address that Vite prints. */
async function watch(app: GuideProcess, browser: RunningBrowser) {
  if (app.command.startsWith('node ')) {
    const shows = async (name: string, quantity: number) => {
      const pattern = new RegExp(`${name}.* has ${quantity},`);
      await eventually(
        () => app.lines,
        (lines) => lines.some((line) => pattern.test(line)),
        { until: `the worker reports ${quantity}`, within: 60_000 },
      );
    };
    return { shows, close: async () => {} };
  }
  const address = await addressOf(app);
  const { page, close } = await browser.open();
  await page.goto(address);
  const shows = (name: string, quantity: number) =>
    page.getByText(`${name}: ${quantity}`).waitFor({ timeout: 60_000 });
  return { shows, close };
}

async function main(args: readonly string[]): Promise<void> {
  if (args.includes('--help')) return print(USAGE);
  if (args.includes('--lock')) {
    const installed = await installGuides({ gatewayUrl: '', updateLockFile: true });
    return installed.remove();
  }
  const unknown = args.find((name) => !GUIDES.includes(name as GuideName));
  if (unknown !== undefined) throw new Error(`${unknown} is no guide: ${GUIDES.join(', ')}`);
  const chosen = args.length > 0 ? (args as readonly GuideName[]) : GUIDES;
  const gudang = await startNpmStart();
  const browser = await startBrowser();
  try {
    for (const name of chosen) await follow(await readGuide(name), { gudang, browser });
  } finally {
    await browser.close();
    gudang.kill('SIGTERM');
    await gudang.exited;
    await gudang.clear();
  }
}

await main(process.argv.slice(2));
