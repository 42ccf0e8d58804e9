/**
 * Measures frame times and long tasks of the page /live with many fast-changing stocks: idle, while
 * scrolling, and with all changes on visible rows. The arguments of
 * `npm run bench:page -- 20 2000 500` are the seconds per scenario, the number of stocks, and the
 * number of changes per second. Headless Chromium renders on the CPU, which the gateway and the
 * subgraphs use too. On a machine with a GPU, the page would be faster.
 */
import { loadavg } from 'node:os';
import { argv, stdout } from 'node:process';
import { setTimeout as pause } from 'node:timers/promises';
import { startBrowser } from '@gudang/testing/chromium';
import type { Page } from 'playwright-core';
import { startChild, startGateway } from './live/child.ts';
import { type Frames, recordFrames } from './page/frame-recorder.ts';
import type { StubLoad } from './page/stub-subgraphs.ts';

const [seconds = 20, stocks = 2_000, perSecond = 500] = argv.slice(2).map(Number);
/** Approximate number of visible rows. */
const ON_SCREEN = 10;
const SCROLL_EVERY_MS = 100;

interface Scenario {
  readonly name: string;
  readonly load: StubLoad;
  /** Repeated user action. */
  readonly act?: (page: Page) => Promise<void>;
}

const SCENARIOS: readonly Scenario[] = [
  { name: 'no changes', load: { perSecond: 0, among: 1 } },
  { name: 'idle user', load: { perSecond, among: stocks } },
  {
    name: 'scrolled',
    load: { perSecond, among: stocks },
    act: (page) => page.mouse.wheel(0, 240),
  },
  { name: 'visible rows', load: { perSecond, among: ON_SCREEN } },
];

function at(sorted: readonly number[], part: number): string {
  return (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0).toFixed(1);
}

function row(name: string, { frames, longTasks }: Frames, changes: string): string {
  const longest = Math.max(0, ...longTasks).toFixed(0);
  const cells = [
    ...[0.5, 0.95, 0.99].map((part) => at(frames, part)),
    (frames.length / seconds).toFixed(0),
    `${longTasks.length} (${longest})`,
    changes,
  ];
  return `${name.padEnd(20)}${cells.map((cell) => cell.padStart(11)).join('')}\n`;
}

const subgraphs = await startChild('../page/stub-subgraphs.ts', String(stocks));
const { port } = await subgraphs.ask<{ port: number }>({ perSecond: 0, among: 1 });
const url = `http://127.0.0.1:${port}/graphql`;
const gateway = await startGateway({ SUBGRAPH_URLS: `order=${url},stock=${url}` });
const browser = await startBrowser();
try {
  const opened = performance.now();
  const { page } = await browser.open();
  await page.goto(`${gateway.url}/live`);
  const shown = new Intl.NumberFormat('en-GB').format(stocks);
  await page.getByRole('heading', { name: `Stock ${shown}` }).waitFor();
  const loadedMs = performance.now() - opened;
  stdout.write(`${shown} stocks loaded and displayed after ${loadedMs.toFixed(0)} ms\n\n`);
  const heads = ['p50 ms', 'p95 ms', 'p99 ms', 'frames/s', '>50 (max)', 'changes/s'];
  stdout.write(`${''.padEnd(20)}${heads.map((head) => head.padStart(11)).join('')}\n`);

  const take = await recordFrames(page);
  await page.mouse.move(400, 500);
  for (const { name, load, act } of SCENARIOS) {
    await subgraphs.ask(load);
    await pause(1_000);
    await take();
    const { sent: before } = await subgraphs.ask<{ sent: number }>(load);
    const until = performance.now() + seconds * 1000;
    while (performance.now() < until) {
      await act?.(page);
      await pause(act ? SCROLL_EVERY_MS : 500);
    }
    const frames = await take();
    const { sent } = await subgraphs.ask<{ sent: number }>(load);
    stdout.write(row(name, frames, ((sent - before) / seconds).toFixed(0)));
  }
  const heap = await page.evaluate('performance.memory?.usedJSHeapSize ?? 0');
  const load = loadavg()[0]?.toFixed(1);
  stdout.write(
    `\nheap of the page ${(Number(heap) / 2 ** 20).toFixed(0)} MiB; load of the machine ${load}\n`,
  );
} finally {
  await browser.close();
  await gateway.stop();
  await subgraphs.stop();
}
