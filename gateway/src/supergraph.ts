import './quiet-apollo.ts';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type Schema, Supergraph } from '@apollo/federation-internals';
import { StartError } from '@gudang/runtime';
import { GraphQLError, type GraphQLSchema } from 'graphql';
import { withoutEnforced } from './auth/security-features.ts';

/** The supergraph that comes with the gateway; beside `src` and `dist` alike. */
export const supergraphPath = fileURLToPath(new URL('../supergraph.graphql', import.meta.url));

/** A supergraph as Apollo's parts need it: text, composed model, and graphql-js schemas. */
export interface LoadedSupergraph {
  /** As it was composed. */
  readonly sdl: string;
  /** As @apollo/gateway takes it. */
  readonly runnableSdl: string;
  readonly model: Supergraph;
  /** What clients may ask for. */
  readonly apiSchema: Schema;
  readonly schema: GraphQLSchema;
  /** With the types and directives that only subgraphs see. */
  readonly supergraphSchema: GraphQLSchema;
  readonly subgraphs: readonly { readonly name: string; readonly url: string }[];
}

/** @throws {StartError} when there is no such file or it is no supergraph of Federation 2 */
export async function loadSupergraph(path = supergraphPath): Promise<LoadedSupergraph> {
  return parseSupergraph(path, await loadSdl(path));
}

/** @throws {StartError} when there is no such file */
export async function loadSdl(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const reason =
      (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'is not there' : 'cannot be read';
    throw new StartError(
      `The supergraph ${path} ${reason}: set SUPERGRAPH to the file of a composed supergraph`,
    );
  }
}

/** @throws {StartError} when the text, which came from the path, is no supergraph */
export function parseSupergraph(path: string, sdl: string): LoadedSupergraph {
  try {
    return buildSupergraph(sdl);
  } catch (error) {
    throw new StartError(
      `The supergraph ${path} cannot be used: ${firstReason(error)}; compose it again, or set SUPERGRAPH to another file`,
    );
  }
}

/** @throws what Apollo throws of a text that is no supergraph */
export function buildSupergraph(sdl: string): LoadedSupergraph {
  const runnableSdl = withoutEnforced(sdl);
  const model = Supergraph.build(runnableSdl);
  const apiSchema = model.apiSchema();
  return {
    sdl,
    runnableSdl,
    model,
    apiSchema,
    schema: apiSchema.toGraphQLJSSchema(),
    supergraphSchema: model.schema.toGraphQLJSSchema(),
    subgraphs: model.subgraphsMetadata(),
  };
}

function firstReason(error: unknown): string {
  const causes = (error as { causes?: unknown }).causes;
  const first = Array.isArray(causes) ? causes[0] : error;
  const at = first instanceof GraphQLError ? first.locations?.[0] : undefined;
  const message = first instanceof Error ? first.message.split('\n')[0] : 'it is no supergraph';
  return at ? `line ${at.line}: ${message}` : String(message);
}
