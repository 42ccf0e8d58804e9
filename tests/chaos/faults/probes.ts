import type { ServiceProcess } from '@gudang/testing/system/service-process';
import { sendGraphRequest } from '../load/graph-request.ts';
import type { Side } from '../rig/backing.ts';
import type { Rig } from '../rig/rig.ts';

/**
 * Counts rows, for example to verify that a fault has happened.
 * @param from the table, optionally followed by a WHERE clause
 */
export async function countOf(rig: Rig, side: Side, from: string): Promise<number> {
  const [row] = await rig.databases[side](`SELECT count(*)::int AS count FROM ${from}`);
  return row?.['count'];
}

/** Returns the current term of a relay. Each new leader increases the term. */
export async function relayTerm(rig: Rig, side: Side): Promise<number> {
  const [row] = await rig.databases[side]('SELECT term::int AS term FROM relay');
  return row?.['term'];
}

/** Returns the number of members of a subgraph's consumer group. */
export async function groupMembers(rig: Rig, side: Side): Promise<number> {
  const { groups } = await rig.admin.describeGroups([rig.name(`${side}-subgraph`)]);
  return groups[0]?.members.length ?? 0;
}

/** Returns the sum of a counter over all processes, for the series whose labels contain the given text. */
export async function counterOf(
  parts: readonly ServiceProcess[],
  name: string,
  labels: string,
): Promise<number> {
  const pages = await Promise.all(
    parts.map(async (part) => (await fetch(`${part.url}/metrics`)).text()),
  );
  return pages
    .flatMap((page) => page.split('\n'))
    .filter((line) => line.startsWith(`${name}{`) && line.includes(labels))
    .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

/** Returns the replica whose log says that it is the relay in the current term. */
export async function relayOf(rig: Rig, side: Side): Promise<ServiceProcess> {
  const term = await relayTerm(rig, side);
  const leader = rig.replicas(side).find((part) =>
    part
      .output()
      .split('\n')
      .some((line) => line.includes('relaying the outbox') && line.includes(`"term":"${term}"`)),
  );
  if (!leader)
    throw new Error(`No replica of ${side} has logged that it is the relay in term ${term}`);
  return leader;
}

/** Returns whether a process responds to a query successfully. */
export async function isResponsive(part: ServiceProcess): Promise<boolean> {
  return (await sendGraphRequest(part.url, '{ __typename }', {})).kind === 'data';
}
