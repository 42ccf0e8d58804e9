import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually } from '@gudang/testing/eventually';
import type { Bench, BenchCase } from '../suite/bench-case.ts';
import type { BenchRig } from '../suite/bench-rig.ts';
import { cpuSpent } from '../suite/cpu-probe.ts';
import type { Figure } from '../suite/figure.ts';

const ROWS = 100_000;
const ROWS_QUICK = 20_000;
const script = fileURLToPath(new URL('../../packages/stock-files/dist/main.js', import.meta.url));

/** A run of `npm run stocks`. */
interface Command {
  readonly closed: Promise<number | null>;
  readonly kill: () => void;
}

function startCommand({ graphUrl }: BenchRig, args: readonly string[]): Command {
  const child = spawn(process.execPath, [script, ...args], {
    env: { PATH: process.env['PATH'], GATEWAY_URL: graphUrl },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const closed = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { closed, kill: () => void child.kill('SIGKILL') };
}

/** Returns the CPU time of this process's ended children so far, in milliseconds. */
async function endedChildrenCpuMs(): Promise<number> {
  const stat = await readFile('/proc/self/stat', 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[13]) + Number(fields[14])) * 10;
}

/** Imports a file, and measures the rate and the CPU time per row. */
async function measureImport(
  rig: BenchRig,
  { file, mode, rows }: { file: string; mode: string; rows: number },
): Promise<Figure[]> {
  const [cpu, children, from] = [
    await rig.readCpu(),
    await endedChildrenCpuMs(),
    performance.now(),
  ];
  const code = await startCommand(rig, ['import', file, '--mode', mode]).closed;
  if (code !== 0) throw new Error(`The import ended with exit code ${code}`);
  const seconds = (performance.now() - from) / 1_000;
  const ofCommand = (await endedChildrenCpuMs()) - children;
  const spent = new Map([['command', ofCommand], ...cpuSpent(cpu, await rig.readCpu())]);
  const perRow = (ms: number): number => (1_000 * ms) / rows;
  const parts = ['command', 'gateway', 'stock', 'postgres stock_db'];
  return [
    { name: `${mode}: rows`, unit: '/s', values: [rows / seconds] },
    ...parts.map(
      (what): Figure => ({
        name: `${mode}: CPU ${what}`,
        unit: 'µs',
        values: [perRow(spent.get(what) ?? 0)],
      }),
    ),
  ];
}

/** Imports a file with a process that is killed at a quarter, at half and at three quarters. */
async function importKilled(rig: BenchRig, file: string, rows: number): Promise<void> {
  const doneRows = async (): Promise<number> =>
    JSON.parse(await readFile(`${file}.import.json`, 'utf8')).doneRows;
  const args = ['import', file, '--mode', 'adjust'];
  for (const part of [0.25, 0.5, 0.75]) {
    const command = startCommand(rig, args);
    await eventually(doneRows, (done) => done >= part * rows, { every: 5, within: 120_000 });
    command.kill();
    await command.closed;
    if ((await doneRows()) >= rows) throw new Error('The import was complete before it was killed');
  }
  if ((await startCommand(rig, args).closed) !== 0) throw new Error('The resumed import failed');
}

/** Returns the quantity and version of each imported stock, as an export writes them. */
async function exported(rig: BenchRig, file: string): Promise<Map<string, string>> {
  if ((await startCommand(rig, ['export', file]).closed) !== 0)
    throw new Error('The export failed');
  const lines = (await readFile(file, 'utf8')).split('\n').map((line) => line.split(','));
  return new Map(
    lines
      .filter(([id]) => id?.startsWith('import-'))
      .map(([id = '', , quantity, version]) => [id, `${quantity} in version ${version}`]),
  );
}

async function runImport(bench: Bench): Promise<Figure[]> {
  const rig = await bench.rig();
  const rows = bench.quick ? ROWS_QUICK : ROWS;
  const folder = await mkdtemp(join(tmpdir(), 'gudang-bench-'));
  const write = async (name: string, header: string, line: (row: number) => string) => {
    const lines = Array.from({ length: rows }, (_, row) => line(row));
    await writeFile(join(folder, name), `${[header, ...lines].join('\n')}\n`);
    return join(folder, name);
  };
  try {
    const created = await write(
      'new.csv',
      'id,name,quantity',
      (row) => `import-${row},Produk ${row},1000`,
    );
    const adjusted = await write(
      'adjust.csv',
      'id,delta',
      (row) => `import-${row},${1 + (row % 9)}`,
    );
    const again = await write('again.csv', 'id,delta', (row) => `import-${row},${-1 - (row % 9)}`);
    const figures = [
      ...(await measureImport(rig, { file: created, mode: 'create', rows })),
      ...(await measureImport(rig, { file: adjusted, mode: 'adjust', rows })),
    ];
    await importKilled(rig, again, rows);
    const stocks = await exported(rig, join(folder, 'all.csv'));
    const wrong = [...stocks.values()].filter((state) => state !== '1000 in version 3').length;
    if (stocks.size !== rows || wrong > 0) {
      throw new Error(
        `${stocks.size} of ${rows} stocks are there, and ${wrong} are not as expected`,
      );
    }
    bench.print('Killed three times and resumed: the end state is the same.');
    await rig.settled();
    return figures;
  } finally {
    await rm(folder, { recursive: true });
  }
}

export const importFiles: BenchCase = {
  name: 'import',
  about: 'npm run stocks -- import of 100,000 rows, and an import that is killed and resumed',
  onlyByName: true,
  run: runImport,
};
