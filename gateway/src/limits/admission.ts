import type { OperationDefinitionNode } from 'graphql';
import type { KnownDocuments, NamedText } from '../documents/known-documents.ts';
import type { LoadedSupergraph } from '../supergraph.ts';
import { readCostDirectives } from './cost-directives.ts';
import type { Variables } from './cost-program.ts';
import { LimitExceeded } from './limit-exceeded.ts';
import { checkNesting } from './nesting.ts';
import { compileCost } from './operation-cost.ts';
import type { OperationLimits } from './operation-limits.ts';
import { createOperationReader, type ReadOperation } from './operation-reader.ts';

/** An operation as a client sends it, on any protocol. */
export interface AskedOperation extends NamedText {
  readonly operationName?: string | null | undefined;
  readonly variables?: Variables | null | undefined;
}

/** An operation that may run, as far as its size goes; it is not validated yet. */
export interface AdmittedOperation extends ReadOperation {
  readonly query: string;
  readonly operationName: string | undefined;
  readonly variables: Variables;
}

type CostGraph = Pick<LoadedSupergraph, 'model' | 'schema'>;

/** What stands before every operation, whatever protocol it comes by. */
export interface Admission {
  /** To be asked of all that was parsed from JSON, before anything else. @throws {RequestRefused} */
  readonly checkNesting: (request: unknown) => void;
  /** @throws {RequestRefused} @throws {GraphQLError} what is wrong with its text */
  readonly admit: (asked: AskedOperation) => AdmittedOperation;
  /** Costs are those of this graph from now on. */
  readonly use: (graph: CostGraph) => void;
}

export function createAdmission({
  graph,
  documents,
  limits,
}: {
  graph: CostGraph;
  documents: Pick<KnownDocuments, 'textOf'>;
  limits: OperationLimits;
}): Admission {
  const read = createOperationReader(limits);
  let costOf = createCosts(graph);
  return {
    checkNesting: (request) => checkNesting(request, limits.nesting),
    use: (next) => {
      costOf = createCosts(next);
    },
    admit: ({ operationName, variables: given, ...named }) => {
      const text = documents.textOf(named);
      const found = read(text, operationName);
      const variables = given ?? {};
      checkNesting(variables, limits.nesting);
      const cost = costOf(found)(variables);
      if (cost > limits.cost) throw new LimitExceeded('cost', { actual: cost, max: limits.cost });
      return { ...found, query: text, operationName: operationName || undefined, variables };
    },
  };
}

/** What operations cost, each worked out once for as long as its document is kept. */
function createCosts(graph: CostGraph) {
  const directives = readCostDirectives(graph);
  const known = new WeakMap<OperationDefinitionNode, (variables: Variables) => number>();
  return ({ document, operation }: ReadOperation) => {
    const found = known.get(operation);
    if (found) return found;
    const cost = compileCost(graph.schema, directives, document, operation);
    known.set(operation, cost);
    return cost;
  };
}
