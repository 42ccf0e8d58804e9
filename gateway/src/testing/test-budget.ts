import type { Metrics } from '@gudang/runtime';
import type { ByteAccount } from '../limits/byte-account.ts';
import { ByteBudget, type ByteLimits } from '../limits/byte-budget.ts';

const MIB = 1024 * 1024;
const DEFAULTS: ByteLimits = { total: 256 * MIB, perCaller: 64 * MIB, perConnection: 32 * MIB };

/** Metrics that record nothing. Tests with many budgets need no registry for each of them. */
const SILENT = { counter: () => ({ inc: () => {} }), gauge: () => ({}) } as unknown as Metrics;

/** Creates a byte budget with the default limits, or with other ones. */
export function createTestBudget(limits: Partial<ByteLimits> = {}): ByteBudget {
  return new ByteBudget({ ...DEFAULTS, ...limits }, SILENT);
}

/** Opens the account of a connection from a loopback address. */
export function openTestAccount(budget = createTestBudget()): ByteAccount {
  return budget.connection({ identity: {}, address: '127.0.0.1' });
}
