import { eventually } from '@gudang/testing/eventually';
import type { ServiceProcess } from '@gudang/testing/system/service-process';
import type { FaultContext } from '../fault.ts';
import type { Side } from '../rig/backing.ts';
import { answers, groupMembers } from './look.ts';

const SESSION_ENDS_WITHIN_MS = 30_000;
const OTHERS_SETTLE_WITHIN_MS = 20_000;

/** Stops a replica with SIGSTOP until the group goes on without it, then lets it run on. */
export async function freezePastSession(
  { rig, load, breach }: FaultContext,
  side: Side,
  part: ServiceProcess,
): Promise<number> {
  const members = await groupMembers(rig, side);
  part.kill('SIGSTOP');
  await eventually(
    () => groupMembers(rig, side),
    (left) => left < members,
    { until: `the group of ${side} goes on without ${part.name}`, within: SESSION_ENDS_WITHIN_MS },
  );
  await load.more(30);
  // Others must decide what it had, while it is still frozen; of what is there now, because orders go on coming in.
  const [clock] = await rig.databases.order('SELECT now() AS now');
  await eventually(
    async () => {
      const [row] = await rig.databases.order(
        "SELECT count(*)::int AS late FROM orders WHERE status = 'PENDING' AND created_at <= $1",
        [clock?.['now']],
      );
      return row?.['late'];
    },
    (late) => late === 0,
    { until: 'the other replicas have settled all orders', within: OTHERS_SETTLE_WITHIN_MS },
  ).catch((error: Error) => breach(`with a frozen ${part.name}: ${error.message}`));
  part.kill('SIGCONT');
  await eventually(
    () => answers(part),
    (alive) => alive,
    { until: `${part.name} answers again` },
  );
  return 1;
}
