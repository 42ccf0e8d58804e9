import type { Checks } from '@gudang/testing/checks';
import { withRequestTarget } from './request-target.ts';
import { runSlowClients } from './slow-clients.ts';

/** Maximum number of slow clients at the same time. */
const AT_ONCE = 150;

/** Runs rounds of slow clients beside healthy clients; `cases` is the number of slow clients. */
export async function fuzzSlowClients(
  checks: Checks,
  { seed, cases }: { seed: number; cases: number },
): Promise<void> {
  const findings: string[] = [];
  await withRequestTarget('open', async ({ port }) => {
    for (let done = 0; done < cases; done += AT_ONCE) {
      const clients = Math.min(AT_ONCE, cases - done);
      findings.push(...(await runSlowClients(port, { seed: seed + done, clients })));
    }
  });
  for (const finding of findings) checks.print(finding);
  checks.verify(
    'healthy clients receive all events beside slow clients, and nothing is left of those',
    findings.length === 0,
    `${findings.length} findings with ${cases} slow clients and seed ${seed}`,
  );
}
