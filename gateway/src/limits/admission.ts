import type { FastifyRequest } from 'fastify';
import type { OperationDefinitionNode } from 'graphql';
import type { NamedText, PersistedQueries } from '../documents/persisted-queries.ts';
import type { LoadedSupergraph } from '../supergraph.ts';
import { collectCostDirectives } from './cost-directives.ts';
import { LimitExceeded } from './limit-exceeded.ts';
import type { OperationLimits } from './limit-settings.ts';
import type { Variables } from './list-size.ts';
import { operationCost } from './operation-cost.ts';
import { createOperationParser, type ParsedOperation } from './operation-parser.ts';

/** An operation as a client sends it, on any protocol. */
export interface OperationRequest extends NamedText {
  readonly operationName?: string | null | undefined;
  readonly variables?: Variables | null | undefined;
}

/** An operation within all limits, but not yet validated. */
export interface AdmittedOperation extends ParsedOperation {
  readonly query: string;
  readonly operationName: string | undefined;
  readonly variables: Variables;
}

/**
 * Key of the property that holds a request's admitted operation. A WeakMap with requests as keys
 * would slow down garbage collection.
 */
const ADMITTED = Symbol('admitted');
type AdmittedRequest = FastifyRequest & { [ADMITTED]?: AdmittedOperation };

export function setAdmitted(request: FastifyRequest, admitted: AdmittedOperation): void {
  (request as AdmittedRequest)[ADMITTED] = admitted;
}

export function admittedOf(request: FastifyRequest): AdmittedOperation | undefined {
  return (request as AdmittedRequest)[ADMITTED];
}

type CostGraph = Pick<LoadedSupergraph, 'model' | 'schema'>;

/** Checks the size of every operation, on every protocol, before anything else handles it. */
export interface Admission {
  /**
   * Rejects deeply nested values. Call it with every value parsed from JSON, before any other use
   * of the value.
   * @throws {RequestError}
   */
  readonly assertNesting: (request: unknown) => void;
  /**
   * Checks an operation against all limits.
   * @throws {RequestError} if a limit is exceeded
   * @throws {GraphQLError} for a syntax error
   */
  readonly admit: (asked: OperationRequest) => AdmittedOperation;
  /** Replaces the graph that determines the costs. */
  readonly use: (graph: CostGraph) => void;
}

export function createAdmission({
  graph,
  documents,
  limits,
}: {
  graph: CostGraph;
  documents: Pick<PersistedQueries, 'textOf' | 'store'>;
  limits: OperationLimits;
}): Admission {
  const read = createOperationParser(limits);
  let costOf = createCosts(graph);
  return {
    assertNesting: (request) => assertNesting(request, limits.nesting),
    use: (next) => {
      costOf = createCosts(next);
    },
    admit: ({ operationName, variables: given, ...named }) => {
      const text = documents.textOf(named);
      const found = read(text, operationName);
      const variables = given ?? {};
      assertNesting(variables, limits.nesting);
      const cost = costOf(found, variables);
      if (cost > limits.cost) throw new LimitExceeded('cost', { actual: cost, max: limits.cost });
      documents.store(named);
      return { ...found, query: text, operationName: operationName || undefined, variables };
    },
  };
}

function createCosts(graph: CostGraph) {
  const directives = collectCostDirectives(graph);
  /** Costs of operations sent without variables: the same for each request. */
  const withoutVariables = new WeakMap<OperationDefinitionNode, number>();
  return (parsed: ParsedOperation, variables: Variables): number => {
    const isConstant = Object.keys(variables).length === 0;
    const known = isConstant ? withoutVariables.get(parsed.operation) : undefined;
    if (known !== undefined) return known;
    const cost = operationCost({ schema: graph.schema, directives, ...parsed }, variables);
    if (isConstant) withoutVariables.set(parsed.operation, cost);
    return cost;
  };
}

/**
 * Rejects values nested so deeply that recursive functions such as JSON.stringify would overflow
 * the stack. The check itself is not recursive.
 * @param value parsed from JSON
 * @throws {LimitExceeded}
 */
export function assertNesting(value: unknown, max: number): void {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > max) throw new LimitExceeded('nesting', { actual: max, max, more: true });
    const inside: unknown[] = [];
    for (const one of level) {
      if (typeof one !== 'object' || one === null) continue;
      for (const each of Object.values(one)) {
        if (typeof each === 'object' && each !== null) inside.push(each);
      }
    }
    level = inside;
  }
}
