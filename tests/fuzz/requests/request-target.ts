import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { signToken } from '@gudang/auth/testing';
import { SECURED } from '@gudang/testing/clients/callers';
import { createRandom, seedOf } from '@gudang/testing/random';
import { type Environment, startServiceProcess } from '@gudang/testing/system/service-process';
import { scriptOf } from '@gudang/testing/system/system';
import { composeEcho } from './echo-graph.ts';
import { createPool, idOf } from './generate-payload.ts';
import { startRecordingSubgraph } from './recording-subgraph.ts';
import { BODY_LIMIT_KIB } from './reference-http.ts';
import type { RequestTarget } from './run-requests.ts';

/** Configurations of the gateway: all documents or a safelist only, and auth with tickets. */
export const TARGETS = ['open', 'safelist', 'tickets'] as const;
export type TargetName = (typeof TARGETS)[number];

/** A target whose gateway runs in a process of its own. */
export interface StartedTarget extends RequestTarget {
  readonly output: () => string;
}

/**
 * Runs the gateway's production build with the recording subgraph as its only subgraph, and stops
 * both afterwards.
 */
export async function withRequestTarget<T>(
  name: TargetName,
  use: (target: StartedTarget) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'requests-'));
  const subgraph = await startRecordingSubgraph();
  try {
    const supergraph = join(folder, 'supergraph.graphql');
    await writeFile(supergraph, composeEcho(subgraph.url));
    const safelist = createPool(createRandom(seedOf(1, 'safelist')));
    const manifest = join(folder, 'manifest.json');
    const operations = safelist.map(({ query }) => ({ id: idOf(query), body: query }));
    const format = 'apollo-persisted-query-manifest';
    await writeFile(manifest, JSON.stringify({ format, version: 1, operations }));
    const settings: Record<TargetName, Environment> = {
      open: {},
      safelist: { TRUSTED_DOCUMENTS: manifest },
      tickets: SECURED,
    };
    const gateway = await startServiceProcess({
      name: 'gateway',
      script: scriptOf('gateway'),
      environment: {
        PORT: '0',
        NODE_ENV: 'production',
        SUPERGRAPH: supergraph,
        LIMIT_BODY_KIB: String(BODY_LIMIT_KIB),
        ...settings[name],
      },
    });
    try {
      await gateway.ready();
      return await use({
        port: gateway.port,
        subgraph,
        persisted: new Map(),
        output: gateway.output,
        ...(name === 'safelist' ? { safelist } : {}),
        ...(name === 'tickets' ? { issueTicket: () => issueTicket(gateway.url) } : {}),
      });
    } finally {
      await gateway.stop();
    }
  } finally {
    await subgraph.stop();
    await rm(folder, { recursive: true });
  }
}

async function issueTicket(url: string): Promise<string> {
  const token = await signToken({ sub: 'Siti' }, { expiresIn: 24 * 3600 });
  const response = await fetch(`${url}/graphql/ticket`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
  });
  const { ticket } = (await response.json()) as { ticket?: string };
  if (ticket === undefined) throw new Error(`no ticket: ${response.status}`);
  return ticket;
}
