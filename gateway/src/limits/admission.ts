import type { ApolloServerPlugin } from '@apollo/server';
import type { FastifyRequest } from 'fastify';
import { GraphQLError, type OperationDefinitionNode } from 'graphql';
import type { GatewayContext } from '../context.ts';
import type { NamedText, PersistedQueries } from '../documents/persisted-queries.ts';
import type { LoadedSupergraph } from '../supergraph.ts';
import { collectCostDirectives } from './cost-directives.ts';
import type { Variables } from './cost-program.ts';
import { LimitExceeded } from './limit-exceeded.ts';
import { checkNesting } from './nesting.ts';
import { compileCost } from './operation-cost.ts';
import type { OperationLimits } from './operation-limits.ts';
import { createOperationParser, type ParsedOperation } from './operation-parser.ts';

/** An operation as a client sends it, on any protocol. */
export interface OperationRequest extends NamedText {
  readonly operationName?: string | null | undefined;
  readonly variables?: Variables | null | undefined;
}

/** An operation that may run, as far as its size goes; it is not validated yet. */
export interface AdmittedOperation extends ParsedOperation {
  readonly query: string;
  readonly operationName: string | undefined;
  readonly variables: Variables;
}

/** In the request itself: a WeakMap of requests is work for the garbage collector. */
const ADMITTED = Symbol('admitted');
type Measured = FastifyRequest & { [ADMITTED]?: AdmittedOperation };

export function setAdmitted(request: FastifyRequest, admitted: AdmittedOperation): void {
  (request as Measured)[ADMITTED] = admitted;
}

export function admittedOf(request: FastifyRequest): AdmittedOperation | undefined {
  return (request as Measured)[ADMITTED];
}

/** Refuses whatever differs from what admission has measured, however it came to differ. */
export const admittedPlugin: ApolloServerPlugin<GatewayContext> = {
  requestDidStart: async () => ({
    didResolveOperation: async ({ source, request, contextValue: { admitted } }) => {
      if (admitted?.query === source && admitted.operationName === request.operationName) {
        // Of a GET, Apollo Server parses them again.
        request.variables = admitted.variables;
        return;
      }
      throw new GraphQLError('The request cannot be read in one way only', {
        extensions: { code: 'BAD_REQUEST', http: { status: 400 } },
      });
    },
  }),
};

type CostGraph = Pick<LoadedSupergraph, 'model' | 'schema'>;

/** What stands before every operation, whatever protocol it comes by. */
export interface Admission {
  /** To be asked of all that was parsed from JSON, before anything else. @throws {RequestError} */
  readonly checkNesting: (request: unknown) => void;
  /** @throws {RequestError} @throws {GraphQLError} what is wrong with its text */
  readonly admit: (asked: OperationRequest) => AdmittedOperation;
  /** Costs are those of this graph from now on. */
  readonly use: (graph: CostGraph) => void;
}

export function createAdmission({
  graph,
  documents,
  limits,
}: {
  graph: CostGraph;
  documents: Pick<PersistedQueries, 'textOf' | 'learn'>;
  limits: OperationLimits;
}): Admission {
  const read = createOperationParser(limits);
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
      documents.learn(named);
      return { ...found, query: text, operationName: operationName || undefined, variables };
    },
  };
}

/** What operations cost, each worked out once for as long as its document is kept. */
function createCosts(graph: CostGraph) {
  const directives = collectCostDirectives(graph);
  const known = new WeakMap<OperationDefinitionNode, (variables: Variables) => number>();
  return ({ document, operation }: ParsedOperation) => {
    const found = known.get(operation);
    if (found) return found;
    const cost = compileCost(graph.schema, directives, document, operation);
    known.set(operation, cost);
    return cost;
  };
}
