import type { ServiceProcess } from '@gudang/testing/system/service-process';
import { ask } from '../load/ask.ts';
import type { Side } from '../rig/backing.ts';
import type { Rig } from '../rig/rig.ts';

/** What faults look at, to prove that they have happened. */

export async function countOf(rig: Rig, side: Side, from: string): Promise<number> {
  const [row] = await rig.databases[side](`SELECT count(*)::int AS count FROM ${from}`);
  return row?.['count'];
}

/** Grows with each relay that takes over. */
export async function relayTerm(rig: Rig, side: Side): Promise<number> {
  const [row] = await rig.databases[side]('SELECT term::int AS term FROM relay');
  return row?.['term'];
}

/** How many consumers share the topic that a side consumes. */
export async function groupMembers(rig: Rig, side: Side): Promise<number> {
  const { groups } = await rig.admin.describeGroups([rig.name(`${side}-subgraph`)]);
  return groups[0]?.members.length ?? 0;
}

/** The sum of a counter over parts and over all its labels that have this text in them. */
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

/** The replica that sends what is in the outbox: the last one that said so. */
export async function relayOf(rig: Rig, side: Side): Promise<ServiceProcess> {
  const term = await relayTerm(rig, side);
  const leader = rig.replicas(side).find((part) =>
    part
      .output()
      .split('\n')
      .some((line) => line.includes('relaying the outbox') && line.includes(`"term":"${term}"`)),
  );
  if (!leader) throw new Error(`No replica of ${side} says that it relays in term ${term}`);
  return leader;
}

/** Whether it answers a query. */
export async function answers(part: ServiceProcess): Promise<boolean> {
  return (await ask(part.url, '{ __typename }', {})).kind === 'data';
}
