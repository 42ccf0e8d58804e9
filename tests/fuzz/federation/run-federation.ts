import { createRandom, seedOf } from '@gudang/testing/random';
import { parse } from 'graphql';
import { compareOutcomes, type Difference } from './compare-outcomes.ts';
import { ComposedGraph } from './composed-graph.ts';
import { featuresOf } from './features.ts';
import { generateGraph } from './generate-graph.ts';
import { type GeneratedOperation, generateOperation } from './generate-operation.ts';
import { readFacts } from './graph-facts.ts';
import type { GraphModel } from './graph-model.ts';
import { printSubgraphs, type SubgraphSdl } from './print-subgraphs.ts';

export interface FederationRun {
  readonly seed: number;
  /** Number of supergraphs. */
  readonly graphs: number;
  /** Number of the first supergraph; default: 0. */
  readonly from?: number;
  /** Operations of each supergraph. */
  readonly operations: number;
}

/** An operation with an answer that differs. */
export interface Finding {
  readonly graph: GraphModel;
  readonly subgraphs: readonly SubgraphSdl[];
  readonly operation: GeneratedOperation;
  readonly difference: Difference;
  /** Number of the supergraph, and of the operation in it. */
  readonly at: readonly [number, number];
}

export interface FederationReport {
  executed: number;
  /**
   * Answers with the same data in another order. Apollo's planner merges fragments of a type, so fields of a
   * later fragment may precede fields between both. GraphQL recommends the order, and clients read names.
   */
  reordered: number;
  /** Operations without a valid text, for which no other could be generated. */
  invalid: number;
  /** Graphs that could not be composed, by reason. */
  readonly rejected: Map<string, number>;
  /** Refused operations by reason. */
  readonly refused: Map<string, number>;
  /** Number of operations by feature. */
  readonly features: Map<string, number>;
  readonly findings: Finding[];
}

const COMPOSE_TRIES = 40;

/** Runs random operations on random supergraphs, and compares each answer with that of graphql-js. */
export async function runFederation(run: FederationRun): Promise<FederationReport> {
  const report: FederationReport = {
    executed: 0,
    reordered: 0,
    invalid: 0,
    rejected: new Map(),
    refused: new Map(),
    features: new Map(),
    findings: [],
  };
  const { from = 0, graphs } = run;
  for (let number = from; number < from + graphs; number += 1) await runGraph(run, number, report);
  return report;
}

async function runGraph(
  { seed, operations }: FederationRun,
  number: number,
  report: FederationReport,
): Promise<void> {
  const { graph, subgraphs, composed } = composeRandom(seedOf(seed, `graph ${number}`), report);
  const facts = readFacts(subgraphs.map(({ name, sdl }) => ({ name, document: parse(sdl) })));
  for (let index = 0; index < operations; index += 1) {
    const random = createRandom(seedOf(graph.seed, `operation ${index}`));
    const operation = generateOperation(composed.schema, kindOf(composed, index), random);
    if (!operation) {
      report.invalid += 1;
      continue;
    }
    report.executed += 1;
    for (const feature of featuresOf(graph, subgraphs, operation)) count(report.features, feature);
    const verdict = compareOutcomes(await composed.run(operation), facts.required);
    if (verdict.is === 'refused') count(report.refused, verdict.reason);
    if (verdict.is !== 'different') continue;
    const { difference } = verdict;
    if (difference.kind === 'order') {
      report.reordered += 1;
      continue;
    }
    report.findings.push({ graph, subgraphs, operation, difference, at: [number, index] });
  }
}

function kindOf({ schema }: ComposedGraph, index: number): GeneratedOperation['kind'] {
  if (index % 8 === 3 && schema.getMutationType()) return 'mutation';
  if (index % 8 === 6 && schema.getSubscriptionType()) return 'subscription';
  return 'query';
}

/** Generates graphs until one can be composed. */
function composeRandom(seed: number, report: Pick<FederationReport, 'rejected'>) {
  for (let tries = 0; tries < COMPOSE_TRIES; tries += 1) {
    const graph = generateGraph(seedOf(seed, `try ${tries}`));
    const subgraphs = printSubgraphs(graph);
    const composed = ComposedGraph.compose(graph, subgraphs);
    if (composed instanceof ComposedGraph) return { graph, subgraphs, composed };
    count(report.rejected, composed[0]?.split('\n')[0] ?? 'no reason');
  }
  throw new Error(`No graph of seed ${seed} can be composed`);
}

export function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
