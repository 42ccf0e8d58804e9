/**
 * Measures the cost of an outbox with many dead rows. A snapshot is held on both databases, as a backup
 * does, while rows pass through both outboxes. At each number of rows, the benchmark measures how long
 * single orders take to settle, how many rows per second a relay sends, how long `/metrics` takes, and
 * whether an event that waits would fire the alert GudangOutboxStuck. Run it with
 * `npm run bench:snapshot -- [--rows 0,1,6,12] [--orders 200] [--sent 20000]`, with `--rows` in millions.
 * The benchmark fails if a figure is more than 1.5 times as large as the first one, or if the alert would
 * not fire.
 */
import { exit, stdout } from 'node:process';
import { parseArgs } from 'node:util';
import { passOutboxRows } from '@gudang/testing/system/held-snapshot';
import { type Figures, measureFigures } from './snapshot/figures.ts';
import { startSnapshotSystem } from './snapshot/snapshot-system.ts';

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '0,1,6,12' },
    orders: { type: 'string', default: '200' },
    sent: { type: 'string', default: '20000' },
  },
});
const millions = values.rows.split(',').map(Number);
const [orders, sent] = [Number(values.orders), Number(values.sent)];
const ascending = millions.every((rows, index) => rows >= (millions[index - 1] ?? 0));
if (!(ascending && orders >= 1 && sent >= 1)) {
  stdout.write('npm run bench:snapshot -- [--rows 0,1,6,12] [--orders 200] [--sent 20000]\n');
  exit(1);
}

/** Maximum ratio of a figure to the first one. */
const RATIO = 1.5;
const columns = ['rows', 'settled p50', 'p99', 'sent', '/metrics', 'oldest event', 'passed in'];
const print = (cells: readonly string[]): void => {
  stdout.write(`${cells.map((cell) => cell.padEnd(14)).join('')}\n`);
};

const system = await startSnapshotSystem();
try {
  // Warms the processes up, so that the first figures are comparable.
  await measureFigures(system, { orders, sent });
  print(columns);
  let passed = 0;
  let first: Figures | undefined;
  for (const rows of millions) {
    const began = performance.now();
    const count = Math.round((rows - passed) * 1_000_000);
    if (count > 0) {
      await Promise.all(
        system.urls.map((url) => passOutboxRows(url, { topic: system.topic, count })),
      );
    }
    passed = rows;
    const seconds = (performance.now() - began) / 1_000;
    const figures = await measureFigures(system, { orders, sent });
    first ??= figures;
    print([
      `${rows} million`,
      `${figures.settledMs.toFixed(1)} ms`,
      `${figures.slowestMs.toFixed(1)} ms`,
      `${figures.sentPerSecond.toFixed(0)}/s`,
      `${figures.metricsMs.toFixed(0)} ms`,
      `${figures.oldestSeconds.toFixed(0)} s`,
      `${seconds.toFixed(0)} s`,
    ]);
    const ratios = [
      figures.settledMs / first.settledMs,
      first.sentPerSecond / figures.sentPerSecond,
    ];
    if (ratios.some((ratio) => ratio > RATIO) || !(figures.oldestSeconds > 30)) {
      stdout.write('FAILED\n');
      process.exitCode = 1;
    }
  }
} finally {
  await system.stop();
}
exit();
