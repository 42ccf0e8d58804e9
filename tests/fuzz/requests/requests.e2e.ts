import { randomInt } from 'node:crypto';
import { expect, it } from 'vitest';
import { readTemplates, replay } from '../recorded/replay-clients.ts';
import { withRequestTarget } from './request-target.ts';
import { runRequests } from './run-requests.ts';
import { runSlowClients } from './slow-clients.ts';

/** Number of requests with each seed. */
const CASES = 250;

/** Sends generated requests with a fixed and with a random seed. */
async function expectAdmitted(target: Parameters<typeof runRequests>[0]): Promise<void> {
  for (const seed of [1, randomInt(1_000_000)]) {
    const { executed, mismatches } = await runRequests(target, { seed, cases: CASES });
    expect(mismatches, `seed ${seed}`).toEqual([]);
    expect(executed, `seed ${seed}`).toBeGreaterThan(CASES / 20);
  }
}

it('runs only operations of the safelist (npm run fuzz -- requests sends more)', async () => {
  await withRequestTarget('safelist', expectAdmitted);
});

it('runs what was admitted, refuses no recorded request, and outlives slow clients', async () => {
  const templates = await readTemplates();
  await withRequestTarget('tickets', async (target) => {
    await expectAdmitted(target);
    const seed = randomInt(1_000_000);
    const cases = templates.length * 2;
    const report = await replay(target, templates, { seed, cases });
    expect(report, `seed ${seed}`).toEqual({ executed: cases, refused: 0, mismatches: [] });
    expect(await runSlowClients(target.port, { seed, clients: 30 }), `seed ${seed}`).toEqual([]);
  });
});
