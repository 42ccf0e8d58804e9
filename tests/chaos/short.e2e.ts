import { afterAll, beforeAll, expect, it } from 'vitest';
import { FAULTS } from './faults/index.ts';
import { runFault, startSession } from './run-fault.ts';
import { tableHead, tableRow } from './table.ts';

const SEED = 1;
const FAULT_TIMEOUT_MS = 120_000;

let session: Awaited<ReturnType<typeof startSession>>;
const rows: string[] = [];

beforeAll(async () => {
  session = await startSession();
}, FAULT_TIMEOUT_MS);

afterAll(async () => {
  process.stdout.write(`${[tableHead(), ...rows].join('\n')}\n`);
  await session?.stop();
}, FAULT_TIMEOUT_MS);

/** `npm run chaos` runs more faults, and longer versions of these. */
it.each(FAULTS.filter(({ short }) => short))(
  'all guarantees hold with the fault "$title"',
  async (fault) => {
    const result = await runFault(session, fault, { seed: SEED, short: true, label: fault.name });
    rows.push(tableRow(result));
    expect(result.breaches).toEqual([]);
    expect(result.fired).toBeGreaterThan(0);
  },
  FAULT_TIMEOUT_MS,
);
