/**
 * Reads a snapshot of many stocks at 4 Mbit/s, with and without a field of another subgraph, and prints
 * its duration, the CPU time per row, and the peak memory of the gateway and the stock subgraph.
 * `npm run bench:snapshot-size -- [stocks …] [--only with|without]` takes 20 minutes with the default of
 * 60,000 and 200,000.
 */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { parseArgs } from 'node:util';
import { createChecks } from '@gudang/testing/checks';
import { insertStocks, withBenchSystem } from '@gudang/testing/system/bench-system';
import { schedulingOf } from './hostile/process-cpu.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { only: { type: 'string', default: '' } },
});
const SIZES = positionals.length > 0 ? positionals.map(Number) : [60_000, 200_000];
const BYTES_PER_S = 4_000_000 / 8;
/** Maximum growth of a process's resident memory, for snapshots of any size. */
const GROWTH_LIMIT_KIB = 250 * 1024;
/** A cursor of another epoch, so that the stream begins with a snapshot. */
const LOST = Buffer.from(`1,${randomUUID()},0,0`).toString('base64url');

const QUERIES = {
  'without another subgraph’s field': 'id name quantity version updatedAt',
  'with another subgraph’s field':
    'id name quantity version updatedAt orders(first: 1) { nodes { id } }',
} as const;

/** Returns the current and the peak resident memory of a process, in KiB. */
async function residentKib(pid: number): Promise<{ now: number; peak: number }> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const read = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]);
  return { now: read('VmRSS'), peak: read('VmHWM') };
}

interface Read {
  readonly rows: number;
  readonly phases: string;
  readonly bytes: number;
  readonly seconds: number;
  readonly longestGapMs: number;
}

/** Reads a snapshot at the given rate until its end. */
async function readSlowly(url: string, fields: string): Promise<Read> {
  const query = `subscription ($after: String) { stockChanged(after: $after) { kind stock { ${fields} } } }`;
  const headers = { accept: 'text/event-stream', 'content-type': 'application/json' };
  const started = performance.now();
  let [bytes, rows, last, longestGapMs] = [0, 0, started, 0];
  const phases: string[] = [];
  let text = '';
  await new Promise<void>((resolve, reject) => {
    const sent = request(
      `${url}/graphql`,
      { method: 'POST', headers, agent: false },
      (response) => {
        const take = (message: string): void => {
          const phase = /"snapshot":\{"phase":"(\w+)"/.exec(message)?.[1];
          if (phase !== undefined) phases.push(phase);
          else if (message.includes('"kind":"SNAPSHOT"')) rows += 1;
          if (phase === 'end') response.destroy();
        };
        response.setEncoding('utf8').on('data', (chunk: string) => {
          longestGapMs = Math.max(longestGapMs, performance.now() - last);
          bytes += Buffer.byteLength(chunk);
          text += chunk;
          const messages = text.split('\n\n');
          text = messages.pop() ?? '';
          for (const message of messages) take(message);
          response.pause();
          const waitMs = (bytes / BYTES_PER_S) * 1000 - (performance.now() - started);
          setTimeout(() => {
            last = performance.now();
            response.resume();
          }, waitMs);
        });
        response.on('close', resolve).on('error', () => {});
      },
    );
    sent.once('error', reject);
    sent.end(JSON.stringify({ query, variables: { after: LOST }, extensions: { live: {} } }));
  });
  const seconds = (performance.now() - started) / 1000;
  return { rows, phases: phases.join(' '), bytes, seconds, longestGapMs };
}

const checks = createChecks();
await withBenchSystem({}, async (system) => {
  for (const size of SIZES) {
    await insertStocks(system, size);
    for (const [name, fields] of Object.entries(QUERIES)) {
      if (!name.startsWith(`${values.only}${values.only && ' '}`)) continue;
      const parts = [system.gateway, system.stock] as const;
      for (const part of parts) await part.restart();
      for (const part of parts) await part.ready();
      const before = await Promise.all(parts.map(({ pid }) => residentKib(pid)));
      const running = [system.gateway, system.stock, system.order] as const;
      const cpuMs = () =>
        Promise.all(running.map(async ({ pid }) => (await schedulingOf(pid)).cpuMs));
      const cpuBefore = await cpuMs();
      const read = await readSlowly(system.gateway.url, fields);
      const cpuAfter = await cpuMs();
      const after = await Promise.all(parts.map(({ pid }) => residentKib(pid)));
      const memory = parts.map((part, index) => {
        const [from, to] = [before[index]?.now ?? 0, after[index]?.peak ?? 0];
        return { name: part.name, from: from / 1024, to: to / 1024 };
      });
      const shown = memory.map(({ name: part, from, to }) => {
        return `${part} ${from.toFixed(0)} MiB, at most ${to.toFixed(0)} MiB`;
      });
      const title = `${size.toLocaleString('en')} stocks ${name}`;
      checks.print(
        `${title}: ${read.seconds.toFixed(1)} s, ${(read.bytes / 1e6).toFixed(1)} MB, longest gap ${read.longestGapMs.toFixed(0)} ms; ${shown.join('; ')}`,
      );
      const costs = running.map((part, index) => {
        const ms = (cpuAfter[index] ?? 0) - (cpuBefore[index] ?? 0);
        return `${part.name} ${((ms / read.rows) * 1_000).toFixed(0)} µs`;
      });
      checks.print(`${title}: CPU per row: ${costs.join(', ')}`);
      checks.verify(`${title}: one snapshot`, read.phases === 'begin end', read.phases);
      checks.verify(`${title}: names every row`, read.rows === size, `${read.rows} rows`);
      const growth = memory.map(({ from, to }) => to - from);
      checks.verify(
        `${title}: memory is bounded`,
        growth.every((mib) => mib * 1024 < GROWTH_LIMIT_KIB),
        growth.map((mib) => `+${mib.toFixed(0)} MiB`).join(' and '),
      );
    }
  }
});
