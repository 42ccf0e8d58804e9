import { composeServices } from '@apollo/composition';
import { type DocumentNode, parse } from 'graphql';
import { Run } from './field-values.ts';
import { createFederatedGraph } from './gateway-in-process.ts';
import type { GeneratedOperation } from './generate-operation.ts';
import { GraphData } from './graph-data.ts';
import { readFacts } from './graph-facts.ts';
import type { GraphModel } from './graph-model.ts';
import { MergedGraph, type Outcome } from './merged-graph.ts';
import { type SubgraphRequest, SubgraphServer } from './subgraph-server.ts';

/** What both executions of an operation have answered and done. */
export interface Compared {
  readonly expected: readonly Outcome[];
  readonly actual: readonly Outcome[] | Error;
  readonly merged: Run;
  readonly federated: Run;
  /** Number of requests that the subgraphs have received. */
  readonly requests: number;
}

/** A graph as one schema for graphql-js, and as a supergraph for the gateway. */
export class ComposedGraph {
  readonly #merged: MergedGraph;
  readonly #federated: ReturnType<typeof createFederatedGraph>;
  readonly #subgraphs: ReadonlyMap<string, SubgraphServer>;

  private constructor(
    graph: GraphModel,
    documents: readonly { readonly name: string; readonly document: DocumentNode }[],
    supergraphSdl: string,
    data: GraphData,
  ) {
    const facts = readFacts(documents);
    this.#federated = createFederatedGraph(supergraphSdl);
    this.#merged = new MergedGraph(graph, facts, data, this.#federated.schema);
    this.#subgraphs = new Map(
      documents.map(({ name, document }) => [
        name,
        new SubgraphServer(name, document, { graph, facts, data }),
      ]),
    );
  }

  /** @returns the errors if the subgraphs cannot be composed */
  static compose(
    graph: GraphModel,
    subgraphs: readonly { readonly name: string; readonly sdl: string }[],
    data?: GraphData,
  ): ComposedGraph | readonly string[] {
    const documents = subgraphs.map(({ name, sdl }) => ({ name, document: parse(sdl) }));
    const composed = composeServices(
      documents.map(({ name, document }) => ({
        name,
        url: `http://${name}.invalid/`,
        typeDefs: document,
      })),
    );
    if (composed.supergraphSdl === undefined) {
      return (composed.errors ?? []).map(({ message }) => message);
    }
    const { supergraphSdl } = composed;
    return new ComposedGraph(graph, documents, supergraphSdl, data ?? createData(graph, documents));
  }

  get schema() {
    return this.#federated.schema;
  }

  async run({ document, kind, variables, draws }: GeneratedOperation): Promise<Compared> {
    // The draw of a stream depends on its text.
    const draw = kind === 'subscription' ? undefined : Math.min(...draws);
    const [merged, federated] = [new Run(), new Run(draw)];
    let requests = 0;
    const subgraph = (name: string): SubgraphServer => {
      requests += 1;
      const server = this.#subgraphs.get(name);
      if (!server) throw new Error(`There is no subgraph ${name}`);
      return server;
    };
    const expected =
      kind === 'subscription'
        ? await this.#merged.subscribe(document, variables, merged)
        : [await this.#merged.query(document, variables, merged)];
    const subgraphs = {
      send: async (name: string, request: SubgraphRequest) =>
        subgraph(name).send(request, federated),
      subscribe: async (name: string, request: SubgraphRequest) =>
        subgraph(name).subscribe(request, federated),
    };
    const running = this.#federated.run(document, variables, subgraphs, draws);
    const actual = await running.catch((error: Error) => error);
    return {
      expected: expected.map(toOutcome),
      actual: actual instanceof Error ? actual : actual.map(toOutcome),
      merged,
      federated,
      requests,
    };
  }
}

export function createData(
  graph: GraphModel,
  documents: readonly { readonly name: string; readonly document: DocumentNode }[],
): GraphData {
  const { required } = readFacts(documents);
  return new GraphData(graph, (_type, field) => required.has(field));
}

function toOutcome(result: {
  data?: unknown;
  errors?: readonly unknown[] | undefined;
  hasNullPart?: boolean;
}): Outcome {
  const { data = null, errors = [], hasNullPart = false } = JSON.parse(JSON.stringify(result));
  return { data, errors, hasNullPart };
}
