// Otherwise, the first test that uses Apollo's executor would wait until it is loaded.
import '@apollo/gateway';
import { composeServices } from '@apollo/composition';
import { buildSubgraphSchema } from '@apollo/subgraph';
import {
  type GraphQLSchema,
  getOperationAST,
  graphql,
  type OperationDefinitionNode,
  parse,
} from 'graphql';
import { createApolloExecutor } from '../plan-execution/apollo-executor.ts';
import { createOwnExecutor } from '../plan-execution/own-executor.ts';
import type { PlanExecutor, Values } from '../plan-execution/plan-executor.ts';
import { readConditions } from '../planning/condition-variants.ts';
import { createOperationPlanner } from '../planning/operation-planner.ts';
import type { SubgraphAnswer } from '../subgraphs/subgraph-answer.ts';
import { buildSupergraph } from '../supergraph.ts';

type Resolvers = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

export interface Part {
  readonly sdl: string;
  readonly resolvers?: Resolvers;
}

/** A request that a subgraph has received. */
export interface Received {
  readonly subgraph: string;
  readonly query: string;
  readonly variables: Values;
}

const LINK = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@external", "@requires", "@provides", "@shareable", "@override", "@inaccessible", "@interfaceObject", "@authenticated", "@requiresScopes", "@cost", "@context", "@fromContext"])`;

/** Composes subgraphs, by name. The SDL of each may omit the link to the federation. */
export function composeParts(parts: Readonly<Record<string, Part>>): string {
  const services = Object.entries(parts).map(([name, { sdl }]) => ({
    name,
    url: `http://${name}.invalid/`,
    typeDefs: parse(withLink(sdl)),
  }));
  const { supergraphSdl, errors } = composeServices(services);
  if (supergraphSdl === undefined) throw new Error(String(errors));
  return supergraphSdl;
}

/**
 * Plans and executes operations over subgraphs in this process, without HTTP.
 * @param edit changes the composed supergraph
 */
export function federate(
  parts: Readonly<Record<string, Part>>,
  { edit = (sdl: string): string => sdl, byApollo = false } = {},
) {
  const supergraph = buildSupergraph(edit(composeParts(parts)));
  const schemas = new Map<string, GraphQLSchema>();
  for (const [name, { sdl, resolvers = {} }] of Object.entries(parts)) {
    const typeDefs = parse(withLink(sdl));
    schemas.set(name, buildSubgraphSchema([{ typeDefs, resolvers: resolvers as never }]));
  }
  const plan = createOperationPlanner(supergraph);
  const findConditions = readConditions(supergraph);
  const apollo = createApolloExecutor(supergraph);
  const executor: PlanExecutor = byApollo ? apollo : createOwnExecutor(supergraph, apollo);
  const received: Received[] = [];
  /** Sends a request to a subgraph. Values and answers are JSON. */
  const send = async (subgraph: string, query: string, given: Values): Promise<SubgraphAnswer> => {
    const schema = schemas.get(subgraph);
    if (!schema) throw new Error(`There is no subgraph ${subgraph}`);
    const variables = JSON.parse(JSON.stringify(given)) as Values;
    received.push({ subgraph, query, variables });
    const answer = await graphql({ schema, source: query, variableValues: variables });
    return JSON.parse(JSON.stringify(answer)) as SubgraphAnswer;
  };
  return {
    supergraph,
    plan,
    send,
    /** All requests to the subgraphs. */
    received,
    /** Returns the result as a client receives it. */
    ask: async (query: string, variables: Values = {}) => {
      const document = parse(query);
      const operation = getOperationAST(document) as OperationDefinitionNode;
      const values = findConditions({ document, operation })?.valuesOf(variables);
      const run = executor.prepare(plan(document, undefined, undefined, values));
      const result = await run(variables, ({ serviceName, operation }, used) =>
        send(serviceName, operation, used),
      );
      return JSON.parse(JSON.stringify(result)) as SubgraphAnswer;
    },
  };
}

function withLink(sdl: string): string {
  return sdl.includes('@link') ? sdl : `${LINK}\n${sdl}`;
}
