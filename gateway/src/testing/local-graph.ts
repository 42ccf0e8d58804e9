import { composeServices } from '@apollo/composition';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { createMetrics } from '@gudang/runtime';
import { type ExecutionResult, graphql, parse, validate } from 'graphql';
import { getOperationAST } from 'graphql/utilities';
import type { GatewayContext } from '../context.ts';
import { PlanningBudget } from '../limits/planning-budget.ts';
import type { Values } from '../plan-execution/plan-executor.ts';
import { createQueryExecutor } from '../request-pipeline/query-executor.ts';
import { withoutRepeats } from '../subgraphs/repeated-entities.ts';
import type { SubgraphAnswer } from '../subgraphs/subgraph-answer.ts';
import type { SubgraphRequest } from '../subgraphs/subgraph-source.ts';
import { buildSupergraph, type LoadedSupergraph } from '../supergraph.ts';
import type { Resolver } from './toy-subgraph.ts';

/** The SDL of a subgraph, without its link to the federation, and its resolvers. */
export interface LocalSubgraph {
  readonly sdl: string;
  readonly resolvers: Readonly<Record<string, Readonly<Record<string, Resolver>>>>;
}

/** A request that a subgraph received. */
export interface LocalRequest {
  readonly subgraph: string;
  readonly query: string;
  readonly variables: Values;
}

const DIRECTIVES =
  '"@key", "@external", "@requires", "@provides", "@shareable", "@interfaceObject", "@override", "@context", "@fromContext", "@inaccessible", "@authenticated"';
const LINK = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: [${DIRECTIVES}])\n`;

/** Composes subgraphs. @throws with the errors of composition */
export function composeLocal(subgraphs: Readonly<Record<string, Pick<LocalSubgraph, 'sdl'>>>) {
  const parts = Object.entries(subgraphs).map(([name, { sdl }]) => ({
    name,
    url: `http://${name}.invalid/`,
    typeDefs: parse(LINK + sdl),
  }));
  const { supergraphSdl, errors } = composeServices(parts);
  if (supergraphSdl === undefined) throw new Error(errors?.map(String).join('\n'));
  return supergraphSdl;
}

/**
 * Creates a federated graph in this process, without connections. It plans and executes operations as
 * the gateway does.
 */
export function createLocalGraph(
  subgraphs: Readonly<Record<string, LocalSubgraph>>,
  options: Parameters<typeof createQueryExecutor>[3] = {},
) {
  const supergraph = buildSupergraph(composeLocal(subgraphs));
  const schemas = new Map(
    Object.entries(subgraphs).map(([name, { sdl, resolvers }]) => [
      name,
      buildSubgraphSchema([{ typeDefs: parse(LINK + sdl), resolvers: resolvers as never }]),
    ]),
  );
  const requests: LocalRequest[] = [];
  const send = async (
    subgraph: string,
    { query, variables: given = {}, entities = [] }: SubgraphRequest,
  ): Promise<SubgraphAnswer> => {
    const distinct = withoutRepeats(given, entities);
    const variables = distinct?.variables ?? given;
    requests.push({ subgraph, query, variables });
    const schema = schemas.get(subgraph);
    if (!schema) throw new Error(`There is no subgraph ${subgraph}`);
    const result = await graphql({ schema, source: query, variableValues: variables });
    // A real answer is parsed from JSON.
    const answer = JSON.parse(JSON.stringify(result)) as SubgraphAnswer;
    return distinct?.repeat(answer, () => undefined) ?? answer;
  };
  const planning = new PlanningBudget({ charge: () => {} }, createMetrics('test'), () => 0);
  const execute = createQueryExecutor(supergraph, send, planning, options);
  return {
    supergraph,
    send,
    /** Requests that the subgraphs have received, oldest first. */
    requests,
    /** Executes a valid operation. @throws if it is invalid */
    run: async (
      query: string,
      variables: Values = {},
      context: Partial<GatewayContext> = {},
    ): Promise<ExecutionResult> => {
      const document = documentOf(supergraph, query);
      const operation = getOperationAST(document);
      const result = await execute({
        context: { identity: { unrestricted: true }, forward: {}, ...context },
        request: { variables },
        document,
        operation,
      } as never);
      return JSON.parse(JSON.stringify(result));
    },
  };
}

const documents = new WeakMap<LoadedSupergraph, Map<string, ReturnType<typeof parse>>>();

/** Parses a text once, as the gateway's document cache does. */
function documentOf(supergraph: LoadedSupergraph, query: string) {
  const cached = documents.get(supergraph) ?? new Map<string, ReturnType<typeof parse>>();
  documents.set(supergraph, cached);
  const document = cached.get(query) ?? parse(query);
  cached.set(query, document);
  const errors = validate(supergraph.schema, document);
  if (errors.length > 0) throw new Error(errors.join('\n'));
  return document;
}
