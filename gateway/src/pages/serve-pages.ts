import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import type { Health, Logger } from '@gudang/runtime';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { SubgraphAddress } from '../subgraphs/subgraph-addresses.ts';
import { FILE_HEADERS, securityHeaders } from './security-headers.ts';
import { createStatus } from './status.ts';

/** Folder with the built pages. */
const BUILT = fileURLToPath(new URL('dist/', import.meta.resolve('@gudang/pages/package.json')));

/**
 * Serves the pages `/` and `/live`, and the explorers GraphiQL (`/graphiql`) and Sandbox
 * (`/graphql` in a browser). Call it before the route `/graphql` is registered.
 * @param explorers whether GraphiQL and Sandbox are served
 * @param journeys whether `/journeys` is served
 */
export async function servePages({
  app,
  addresses,
  health,
  explorers,
  journeys,
  log,
}: {
  app: FastifyInstance;
  addresses: readonly SubgraphAddress[];
  health: Health;
  explorers: boolean;
  journeys: boolean;
  log: Logger;
}): Promise<void> {
  if (!existsSync(BUILT)) {
    log.warn('the pages are not built and are not served: run npm run build, or set PAGES=false');
    return;
  }
  // File names contain a hash of the content, so browsers may cache the files indefinitely.
  await app.register(fastifyStatic, {
    root: `${BUILT}pages`,
    prefix: '/pages/',
    preCompressed: true,
    immutable: true,
    maxAge: '365d',
    index: false,
    setHeaders: (response) => {
      for (const [name, value] of Object.entries(FILE_HEADERS)) response.setHeader(name, value);
    },
  });
  const send = (reply: FastifyReply, file: string): FastifyReply =>
    reply
      .headers(securityHeaders(file))
      .header('cache-control', 'no-cache')
      .sendFile(file, BUILT, { cacheControl: false });

  app.get('/', (_request, reply) => send(reply, 'index.html'));
  app.get('/live', (_request, reply) => send(reply, 'live.html'));
  const status = createStatus({ addresses, health, explorers, journeys });
  app.get('/status', async (_request, reply) => {
    return reply.header('cache-control', 'no-store').send(await status());
  });
  if (!explorers) return;
  app.get('/graphiql', (_request, reply) => send(reply, 'graphiql.html'));
  app.addHook('onRequest', async (request, reply) => {
    if (isBrowserVisit(request)) return send(reply.header('vary', 'accept'), 'sandbox.html');
  });
}

/** Whether a browser opens `/graphql` as a page, without an operation. */
function isBrowserVisit({ method, routeOptions, headers, query }: FastifyRequest): boolean {
  return (
    (method === 'GET' || method === 'HEAD') &&
    routeOptions.url === '/graphql' &&
    headers.accept?.includes('text/html') === true &&
    !('query' in Object(query))
  );
}
