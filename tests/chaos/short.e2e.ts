import { afterAll, beforeAll, expect, it } from 'vitest';
import { FAULTS } from './faults/index.ts';
import { runFault } from './run-fault.ts';
import { startSession } from './session.ts';
import { tableHead, tableRow } from './table.ts';

const SEED = 1;
const A_FAULT_WITHIN_MS = 120_000;

let session: Awaited<ReturnType<typeof startSession>>;
const rows: string[] = [];

beforeAll(async () => {
  session = await startSession();
}, A_FAULT_WITHIN_MS);

afterAll(async () => {
  process.stdout.write(`${[tableHead(), ...rows].join('\n')}\n`);
  await session?.stop();
}, A_FAULT_WITHIN_MS);

/** The rest, and longer versions of these: `npm run chaos`. */
it.each(FAULTS.filter(({ short }) => short))(
  'keeps every guarantee: $title',
  async (fault) => {
    const result = await runFault(session, fault, { seed: SEED, short: true, label: fault.name });
    rows.push(tableRow(result));
    expect(result.breaches).toEqual([]);
    expect(result.fired).toBeGreaterThan(0);
  },
  A_FAULT_WITHIN_MS,
);
