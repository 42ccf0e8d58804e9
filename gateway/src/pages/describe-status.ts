import type { HealthReport, PartState } from '@gudang/runtime';

/** A part of the system on the status page. */
export interface StatusPart {
  /** `gateway`, `subgraph <name>`, or a shared server's name in `/readyz`, such as `kafka`. */
  readonly id: string;
  readonly name: string;
  /** `unknown` if no service that uses the part answers. */
  readonly state: PartState['state'] | 'unknown';
  /** A sentence that describes the part's state. */
  readonly says: string;
}

const SUBGRAPH = 'subgraph ';
/** Displayed names of the servers that several services share, by their names in `/readyz`. */
const SHARED: Readonly<Record<string, string>> = { kafka: 'Kafka', database: 'PostgreSQL' };
const WORST_FIRST = ['down', 'degraded', 'ok'] as const;

/**
 * Describes all parts of the system: the gateway, its subgraphs, and their shared servers.
 * @param report the gateway's own health report
 * @param subgraphs the parts that each subgraph reports; empty for a subgraph that reports none
 * @param seen the shared servers that at least one subgraph has reported so far
 */
export function describeStatus(
  report: HealthReport,
  subgraphs: ReadonlyMap<string, ReadonlyMap<string, PartState>>,
  seen: ReadonlySet<string>,
): StatusPart[] {
  const own = Object.entries(report.parts).filter(([name]) => !name.startsWith(SUBGRAPH));
  const asked = Object.entries(report.parts).flatMap(([name, state]) =>
    name.startsWith(SUBGRAPH) ? [{ name: name.slice(SUBGRAPH.length), state }] : [],
  );
  return [
    describe('gateway', 'Gateway', own, 'Answers queries, mutations and live streams.'),
    ...asked.map(({ name, state }) => {
      const parts = [...(subgraphs.get(name) ?? [])].filter(([part]) => !(part in SHARED));
      const answer = [['', state], ...parts] as const;
      return describe(`${SUBGRAPH}${name}`, `${capitalized(name)} subgraph`, answer, 'Answers.');
    }),
    ...Object.entries(SHARED)
      .filter(([part]) => seen.has(part))
      .map(([part, name]) => describeShared(part, name, subgraphs)),
  ];
}

/** Names of the subgraphs that cannot answer, because they or their databases are unavailable. */
export function unavailableSubgraphs(
  { parts }: HealthReport,
  subgraphs: ReadonlyMap<string, ReadonlyMap<string, PartState>>,
): string[] {
  return Object.entries(parts).flatMap(([part, { state }]) => {
    if (!part.startsWith(SUBGRAPH)) return [];
    const name = part.slice(SUBGRAPH.length);
    const database = subgraphs.get(name)?.get('database')?.state;
    return state !== 'ok' || database === 'down' ? [name] : [];
  });
}

function describe(
  id: string,
  name: string,
  parts: readonly (readonly [string, PartState])[],
  whenFine: string,
): StatusPart {
  const state = worst(parts.map(([, part]) => part.state));
  const reasons = parts.flatMap(([, part]) => (part.state === 'ok' ? [] : [part.reason]));
  return { id, name, state, says: reasons.length > 0 ? sentences(reasons) : whenFine };
}

/** Describes one server that several services use. */
function describeShared(
  part: string,
  name: string,
  subgraphs: ReadonlyMap<string, ReadonlyMap<string, PartState>>,
): StatusPart {
  const users = [...subgraphs].flatMap(([user, parts]) => {
    const state = parts.get(part);
    return state ? [{ user, state }] : [];
  });
  if (users.length === 0) {
    return { id: part, name, state: 'unknown', says: 'Unknown: no service that uses it answers.' };
  }
  const troubled = users.flatMap(({ user, state }) =>
    state.state === 'ok' ? [] : [`${user}: ${state.reason}`],
  );
  const names = users.map(({ user }) => user).join(' and ');
  return {
    id: part,
    name,
    state: worst(users.map(({ state }) => state.state)),
    says: troubled.length > 0 ? sentences(troubled) : `Serves ${names}.`,
  };
}

function worst(states: readonly PartState['state'][]): PartState['state'] {
  return WORST_FIRST.find((state) => states.includes(state)) ?? 'ok';
}

function sentences(reasons: readonly string[]): string {
  return reasons
    .map(capitalized)
    .map((reason) => (/[.!?]$/.test(reason) ? reason : `${reason}.`))
    .join(' ');
}

function capitalized(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}
