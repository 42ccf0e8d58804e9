import type { Checks } from '@gudang/testing/checks';
import type { FuzzOptions } from '../run-fuzz.ts';
import { LINK } from './print-subgraphs.ts';
import { type FederationReport, type Finding, runFederation } from './run-federation.ts';
import { shrinkFinding } from './shrink-finding.ts';

/** Operations of each supergraph. */
const OPERATIONS = 20;
const PRINT_EVERY = 50;
/** Findings that are shrunk and printed; shrinking one takes up to a minute. */
const MAX_SHOWN = 10;
/** Maximum share of refused operations. If many are refused, the comparison shows little. */
const MAX_REFUSED = 0.1;

/**
 * Runs random operations on random supergraphs in this process. Each answer must be the one of graphql-js over the
 * merged schema, or the operation must be refused with a reason. One case is a supergraph with 20 operations.
 */
export async function fuzzFederation(
  checks: Checks,
  { seed, cases, from }: Required<FuzzOptions>,
): Promise<void> {
  const totals: FederationReport[] = [];
  for (let done = 0; done < cases; done += PRINT_EVERY) {
    const graphs = Math.min(PRINT_EVERY, cases - done);
    const part = await runFederation({ seed, graphs, operations: OPERATIONS, from: from + done });
    totals.push(part);
    const findings = sum(totals, (one) => one.findings.length);
    checks.print(`${done + graphs} supergraphs, ${findings} differences`);
  }
  const findings = totals.flatMap((one) => one.findings);
  for (const finding of findings.slice(0, MAX_SHOWN)) {
    checks.print(describeFinding(await shrinkFinding(finding)));
  }
  const executed = sum(totals, (one) => one.executed);
  const refused = merged(totals.map((one) => one.refused));
  const refusals = [...refused.values()].reduce((all, one) => all + one, 0);
  checks.print(`features, by operations:\n${listed(merged(totals.map((one) => one.features)))}`);
  checks.print(`refused, by reason:\n${listed(refused)}`);
  checks.print(`same data in another order: ${sum(totals, (one) => one.reordered)}`);
  checks.verify(
    'every answer is that of graphql-js, or a refusal',
    findings.length === 0,
    `${findings.length} differences in ${executed} operations with seed ${seed}`,
  );
  checks.verify(
    'few operations are refused',
    refusals <= executed * MAX_REFUSED,
    `${refusals} of ${executed}`,
  );
}

/** Describes a difference, with all that is needed to reproduce it. */
export function describeFinding({ subgraphs, operation, difference, at }: Finding): string {
  const schemas = subgraphs.map(({ name, sdl }) => `# subgraph ${name}\n${sdl.replace(LINK, '')}`);
  return [
    `supergraph ${at[0]}, operation ${at[1]}: ${difference.kind}: ${difference.details}`,
    ...schemas,
    `# operation, with variables ${JSON.stringify(operation.variables)}`,
    operation.text,
    '',
  ].join('\n');
}

function sum<T>(all: readonly T[], countOf: (one: T) => number): number {
  return all.reduce((total, one) => total + countOf(one), 0);
}

function merged(all: readonly ReadonlyMap<string, number>[]): Map<string, number> {
  const totals = new Map<string, number>();
  for (const [key, value] of all.flatMap((one) => [...one])) {
    totals.set(key, (totals.get(key) ?? 0) + value);
  }
  return totals;
}

function listed(counts: ReadonlyMap<string, number>): string {
  return [...counts]
    .sort(([, one], [, other]) => other - one)
    .map(([key, value]) => `  ${String(value).padStart(6)} ${key}`)
    .join('\n');
}
