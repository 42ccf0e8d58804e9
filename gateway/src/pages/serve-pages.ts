import { existsSync } from 'node:fs';
import fastifyStatic from '@fastify/static';
import type { Health, Logger } from '@gudang/runtime';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { findPages } from '../package-files.ts';
import type { SubgraphAddress } from '../subgraphs/subgraph-addresses.ts';
import { FILE_HEADERS, securityHeaders } from './security-headers.ts';
import { createStatus } from './status.ts';

/**
 * Serves the explorers GraphiQL (`/graphiql`) and Sandbox (`/graphql` in a browser), and the pages `/` and
 * `/live` if they are built: the published package contains only the explorers, and `/` leads to GraphiQL.
 * Call it before the route `/graphql` is registered.
 * @param folder of the built pages explorers whether GraphiQL and Sandbox are served
 * @param journeys whether `/journeys` is served
 */
export async function servePages({
  app,
  addresses,
  health,
  explorers,
  journeys,
  log,
  folder = findPages(),
}: {
  app: FastifyInstance;
  addresses: readonly SubgraphAddress[];
  health: Health;
  explorers: boolean;
  journeys: boolean;
  log: Logger;
  folder?: string | undefined;
}): Promise<void> {
  if (folder === undefined) {
    log.warn('the pages are not built and are not served: run npm run build, or set PAGES=false');
    return;
  }
  // File names contain a hash of the content, so browsers may cache the files indefinitely.
  await app.register(fastifyStatic, {
    root: `${folder}pages`,
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
      .sendFile(file, folder, { cacheControl: false });

  const isBuilt = (file: string): boolean => existsSync(`${folder}${file}`);
  if (isBuilt('index.html')) app.get('/', (_request, reply) => send(reply, 'index.html'));
  else if (explorers) app.get('/', (_request, reply) => reply.redirect('/graphiql'));
  if (isBuilt('live.html')) app.get('/live', (_request, reply) => send(reply, 'live.html'));
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
