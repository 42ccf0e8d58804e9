import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { composeServices } from '@apollo/composition';
import { parse } from 'graphql';
import { repository } from './snippets.ts';

export const supergraphPath = join(repository, 'gateway/supergraph.graphql');

/** The subgraphs and their default addresses. */
const SUBGRAPHS = [
  {
    name: 'order',
    url: 'http://127.0.0.1:8000/graphql',
    sdl: 'order-subgraph/schema.graphql',
  },
  {
    name: 'stock',
    url: 'http://127.0.0.1:8001/graphql',
    sdl: 'stock-subgraph/schema.graphql',
  },
] as const;

/** Thrown if the subgraphs' schemas cannot be composed. The message has one line per reason. */
export class CompositionError extends Error {}

/**
 * Composes the supergraph from the subgraphs' schema files.
 * @throws {CompositionError}
 */
export async function composeSupergraph(): Promise<string> {
  const services = await Promise.all(
    SUBGRAPHS.map(async ({ name, url, sdl }) => ({ name, url, typeDefs: await loadSdl(sdl) })),
  );
  const { errors, supergraphSdl } = composeServices(services);
  if (supergraphSdl !== undefined) return `${supergraphSdl.trim()}\n`;
  throw new CompositionError(
    ['The subgraphs do not compose:', ...(errors ?? []).map(({ message }) => `- ${message}`)].join(
      '\n',
    ),
  );
}

async function loadSdl(file: string) {
  const path = join(repository, file);
  try {
    return parse(await readFile(path, 'utf8'));
  } catch (error) {
    throw new CompositionError(`${path}: ${(error as Error).message}`);
  }
}

/**
 * Describes the first difference between the committed and the composed supergraph. Returns
 * undefined if they are equal.
 */
export async function findStale(): Promise<string | undefined> {
  const [composed, committed] = await Promise.all([
    composeSupergraph(),
    readFile(supergraphPath, 'utf8').catch(() => ''),
  ]);
  if (composed === committed) return undefined;
  const was = committed.split('\n');
  const is = composed.split('\n');
  const line = is.findIndex((text, index) => text !== was[index]);
  const at = line < 0 ? is.length : line;
  return [
    `gateway/supergraph.graphql is stale: run npm run supergraph and commit it. It differs first in line ${at + 1}:`,
    `- ${was[at] ?? '(nothing)'}`,
    `+ ${is[at] ?? '(nothing)'}`,
  ].join('\n');
}
