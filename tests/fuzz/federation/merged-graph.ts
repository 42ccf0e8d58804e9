import {
  type DocumentNode,
  execute,
  type GraphQLFieldResolver,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  subscribe,
} from 'graphql';
import {
  assertPresent,
  collectRequired,
  computeValue,
  findRequired,
  mapNodes,
  type Run,
  readContextValue,
} from './field-values.ts';
import type { DataNode, GraphData } from './graph-data.ts';
import type { GraphFacts } from './graph-facts.ts';
import type { GraphModel, Root } from './graph-model.ts';

/** Number of events of each subscription. */
export const EVENTS = 2;

export interface RootSource {
  /** Number of the event; undefined for queries and mutations. */
  readonly event?: number;
}

/** A result as JSON, and what its execution did. */
export interface Outcome {
  readonly data: unknown;
  readonly errors: readonly { readonly message: string; readonly path?: readonly unknown[] }[];
  /** Whether a deferred part is null. */
  readonly hasNullPart?: boolean;
}

/** Reads the value of a root field. */
export function readRoot(
  data: GraphData,
  run: Run,
  { parentType, fieldName }: GraphQLResolveInfo,
  args: unknown,
  { event }: RootSource,
): ReturnType<GraphData['read']> {
  const root = parentType.name as Root;
  if (root === 'Mutation') run.mutations.push(`${fieldName}(${JSON.stringify(args)})`);
  const salt = root === 'Mutation' ? `#${run.mutations.length}` : `#${event ?? ''}`;
  return data.read({ type: root, id: '' }, fieldName, args, salt);
}

/** Sends the numbers of the events of a subscription. */
export async function* sendEvents(): AsyncGenerator<RootSource> {
  for (let event = 0; event < EVENTS; event += 1) yield { event };
}

/** Returns all elements of a stream. */
export async function collectAll<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const one of stream) all.push(one);
  return all;
}

/** Executes operations with graphql-js over the merged schema, as if it was not federated. */
export class MergedGraph {
  readonly #graph: GraphModel;
  readonly #facts: GraphFacts;
  readonly #data: GraphData;
  readonly #schema: GraphQLSchema;

  constructor(graph: GraphModel, facts: GraphFacts, data: GraphData, schema: GraphQLSchema) {
    this.#graph = graph;
    this.#facts = facts;
    this.#data = data;
    this.#schema = schema;
  }

  async query(document: DocumentNode, variables: Record<string, unknown>, run: Run) {
    return execute({
      ...this.#options(document, variables, run),
      rootValue: {},
    });
  }

  /** @returns the results of all events */
  async subscribe(document: DocumentNode, variables: Record<string, unknown>, run: Run) {
    const stream = await subscribe({
      ...this.#options(document, variables, run),
      subscribeFieldResolver: sendEvents,
    });
    if (!(Symbol.asyncIterator in stream)) return [stream];
    return collectAll(stream);
  }

  #options(document: DocumentNode, variableValues: Record<string, unknown>, run: Run) {
    return {
      schema: this.#schema,
      document,
      variableValues,
      contextValue: run,
      fieldResolver: this.#resolve,
      typeResolver: ({ type }: DataNode) => type,
    };
  }

  readonly #resolve: GraphQLFieldResolver<DataNode | RootSource, Run> = (
    source,
    args,
    run,
    info,
  ) => {
    if (!('type' in source)) {
      const name = `${info.parentType.name}.${info.fieldName}`;
      return assertPresent(readRoot(this.#data, run, info, args, source), name, run);
    }
    const name = `${source.type}.${info.fieldName}`;
    const sources = {
      graph: this.#graph,
      facts: this.#facts,
      data: this.#data,
      schema: this.#schema,
    };
    const context = this.#facts.contexts.get(name);
    if (context) {
      const given = readContextValue(sources, context, source);
      return computeValue(String(info.returnType), given, args);
    }
    const required = findRequired(this.#graph, this.#facts, source.type, info.fieldName);
    if (!required) {
      const value = assertPresent(this.#data.read(source, info.fieldName, args), name, run);
      return mapNodes(value, (node) => ({ ...node, around: source }));
    }
    return computeValue(String(info.returnType), collectRequired(sources, source, required), args);
  };
}
