import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ApolloClient, type ApolloLink, gql, HttpLink, InMemoryCache } from '@apollo/client';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { fetchExchange, subscriptionExchange, Client as UrqlClient } from '@urql/core';
import { EventSource } from 'eventsource';
import { createClient as createSseClient } from 'graphql-sse';
import { createClient as createWsClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import type { OperationKind } from '../requests/generate-operation.ts';

/** The operation that all clients send. */
export const VARIABLES = { m: 'marker', t: 'text "é" 😀 & + %' };
export const OPERATION_NAME = 'Recorded';
const FIELDS: Readonly<Record<OperationKind, string>> = {
  query: 'echo',
  mutation: 'write',
  subscription: 'heard',
};
export function operationOf(kind: OperationKind): string {
  return `${kind} ${OPERATION_NAME}($m: String!, $t: String) { ${FIELDS[kind]}(marker: $m, text: $t) { marker text n } }`;
}

/** Sends one operation of a kind with a real client, and resolves once its result has arrived. */
export interface RealClient {
  readonly name: string;
  readonly kinds: readonly OperationKind[];
  readonly send: (url: string, kind: OperationKind) => Promise<void>;
}

const run = promisify(execFile);
const resolvePath = createRequire(import.meta.url).resolve;
const versionOf = (name: string): string =>
  createRequire(import.meta.url)(`${name}/package.json`).version;
const HTTP: readonly OperationKind[] = ['query', 'mutation'];
const ALL: readonly OperationKind[] = ['query', 'mutation', 'subscription'];
const wsUrl = (url: string): string => url.replace('http', 'ws');
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Resolves with the first result of something that subscribes. */
function firstOf(
  subscribe: (sink: {
    next: (value: unknown) => void;
    error: (error: unknown) => void;
    complete: () => void;
  }) => unknown,
): Promise<void> {
  return new Promise((resolve, reject) => {
    subscribe({ next: () => resolve(), error: reject, complete: () => {} });
  });
}

function apollo(
  how: string,
  kinds: readonly OperationKind[],
  linkTo: (url: string) => ApolloLink,
): RealClient {
  return {
    name: `Apollo Client ${versionOf('@apollo/client')}: ${how}`,
    kinds,
    send: async (url, kind) => {
      const client = new ApolloClient({ link: linkTo(url), cache: new InMemoryCache() });
      const document = gql(operationOf(kind));
      const options = { variables: VARIABLES, fetchPolicy: 'no-cache' } as const;
      if (kind === 'query') await client.query({ query: document, ...options });
      else if (kind === 'mutation') await client.mutate({ mutation: document, ...options });
      else
        await firstOf((sink) => client.subscribe({ query: document, ...options }).subscribe(sink));
    },
  };
}

function urql(
  how: string,
  kinds: readonly OperationKind[],
  createFor: (url: string) => UrqlClient,
): RealClient {
  return {
    name: `urql ${versionOf('@urql/core')}: ${how}`,
    kinds,
    send: async (url, kind) => {
      const client = createFor(url);
      const request = client[kind](operationOf(kind), VARIABLES);
      if (kind === 'subscription') await firstOf((sink) => request.subscribe(sink.next));
      else await request.toPromise();
    },
  };
}

function curl(
  how: string,
  kinds: readonly OperationKind[],
  argumentsFor: (body: string, kind: OperationKind) => string[],
): RealClient {
  return {
    name: `curl: ${how}`,
    kinds,
    send: async (url, kind) => {
      const payload = { query: operationOf(kind), variables: VARIABLES };
      await run('curl', ['-sS', url, ...argumentsFor(JSON.stringify(payload), kind)]);
    },
  };
}

/** Runs a collection with Postman's runtime. */
function postman(
  how: string,
  kinds: readonly OperationKind[],
  requestOf: (url: string, kind: OperationKind) => object,
): RealClient {
  return {
    name: `Postman's newman ${versionOf('newman')}: ${how}`,
    kinds,
    send: async (url, kind) => {
      const schema = 'https://schema.getpostman.com/json/collection/v2.1.0/collection.json';
      const collection = {
        info: { name: how, schema },
        item: [{ name: kind, request: requestOf(url, kind) }],
      };
      const folder = await mkdtemp(join(tmpdir(), 'postman-'));
      const file = join(folder, 'collection.json');
      await writeFile(file, JSON.stringify(collection));
      await run(process.execPath, [resolvePath('newman/bin/newman.js'), 'run', file]);
      await rm(folder, { recursive: true });
    },
  };
}

const JSON_TYPE = { 'content-type': 'application/json' };
const JSON_HEADER = ['-H', 'Content-Type: application/json'];

export const REAL_CLIENTS: readonly RealClient[] = [
  apollo('HttpLink', ALL, (uri) => new HttpLink({ uri })),
  apollo(
    'HttpLink with useGETForQueries',
    ['query'],
    (uri) =>
      new HttpLink({
        uri,
        useGETForQueries: true,
        headers: { 'Apollo-Require-Preflight': 'true' },
      }),
  ),
  apollo(
    'HttpLink with clientAwareness',
    HTTP,
    (uri) =>
      new HttpLink({
        uri,
        headers: { 'apollographql-client-name': 'shop', 'apollographql-client-version': '1.0' },
      }),
  ),
  apollo('persisted queries', HTTP, (uri) =>
    new PersistedQueryLink({ sha256 }).concat(new HttpLink({ uri })),
  ),
  apollo('persisted queries with GET', ['query'], (uri) =>
    new PersistedQueryLink({ sha256, useGETForHashedQueries: true }).concat(
      new HttpLink({ uri, headers: { 'apollo-require-preflight': 'true' } }),
    ),
  ),
  apollo(
    'GraphQLWsLink',
    ALL,
    (url) => new GraphQLWsLink(createWsClient({ url: wsUrl(url), webSocketImpl: WebSocket })),
  ),
  urql(
    'fetchExchange',
    HTTP,
    (url) => new UrqlClient({ url, exchanges: [fetchExchange], preferGetMethod: false }),
  ),
  urql(
    'fetchExchange with GET',
    ['query'],
    (url) =>
      new UrqlClient({
        url,
        exchanges: [fetchExchange],
        preferGetMethod: 'force',
        fetchOptions: { headers: { 'apollo-require-preflight': 'true' } },
      }),
  ),
  urql(
    'fetchExchange with its default method',
    HTTP,
    (url) =>
      new UrqlClient({
        url,
        exchanges: [fetchExchange],
        fetchOptions: { headers: { 'apollo-require-preflight': 'true' } },
      }),
  ),
  urql(
    'fetchExchange with subscriptions',
    ['subscription'],
    (url) =>
      new UrqlClient({
        url,
        exchanges: [fetchExchange],
        fetchSubscriptions: true,
        preferGetMethod: false,
      }),
  ),
  urql('subscriptionExchange over graphql-ws', ['subscription'], (url) => {
    const client = createWsClient({ url: wsUrl(url), webSocketImpl: WebSocket });
    const forwardSubscription: Parameters<typeof subscriptionExchange>[0]['forwardSubscription'] =
      ({ query = '', variables }) => ({
        subscribe: (sink) => ({
          unsubscribe: client.subscribe(
            { query, variables: variables ?? null },
            { ...sink, next: ({ data = null, ...rest }) => sink.next({ data, ...rest } as never) },
          ),
        }),
      });
    return new UrqlClient({
      url,
      exchanges: [subscriptionExchange({ forwardSubscription })],
      preferGetMethod: false,
    });
  }),
  {
    name: `graphql-ws ${versionOf('graphql-ws')}`,
    kinds: ALL,
    send: async (url, kind) => {
      const client = createWsClient({ url: wsUrl(url), webSocketImpl: WebSocket });
      const payload = {
        query: operationOf(kind),
        variables: VARIABLES,
        operationName: OPERATION_NAME,
      };
      await firstOf((sink) => client.subscribe(payload, sink));
      await client.dispose();
    },
  },
  {
    name: `graphql-sse ${versionOf('graphql-sse')}`,
    kinds: ALL,
    send: async (url, kind) => {
      const client = createSseClient({ url });
      const payload = {
        query: operationOf(kind),
        variables: VARIABLES,
        operationName: OPERATION_NAME,
      };
      await firstOf((sink) => client.subscribe(payload, sink));
      client.dispose();
    },
  },
  {
    name: `eventsource ${versionOf('eventsource')}`,
    kinds: ['query', 'subscription'],
    send: async (url, kind) => {
      const address = new URL(url);
      address.searchParams.set('query', operationOf(kind));
      address.searchParams.set('variables', JSON.stringify(VARIABLES));
      const source = new EventSource(address);
      await new Promise((resolve) => source.addEventListener('next', resolve));
      source.close();
    },
  },
  {
    name: "Node's fetch",
    kinds: HTTP,
    send: async (url, kind) => {
      const body = JSON.stringify({ query: operationOf(kind), variables: VARIABLES });
      await (await fetch(url, { method: 'POST', headers: JSON_TYPE, body })).text();
    },
  },
  curl('-d', HTTP, (body) => [...JSON_HEADER, '-d', body]),
  curl('--json', HTTP, (body) => ['--json', body]),
  curl('--compressed', HTTP, (body) => [...JSON_HEADER, '--compressed', '--data-binary', body]),
  curl('Transfer-Encoding: chunked', HTTP, (body) => [
    ...JSON_HEADER,
    '-H',
    'Transfer-Encoding: chunked',
    '-d',
    body,
  ]),
  curl('-N with an event stream', ['subscription'], (body) => [
    '-N',
    ...JSON_HEADER,
    '-H',
    'Accept: text/event-stream',
    '-d',
    body,
  ]),
  curl('-G', ['query'], (_body, kind) => [
    '-G',
    '-H',
    'Apollo-Require-Preflight: true',
    '--data-urlencode',
    `query=${operationOf(kind)}`,
    '--data-urlencode',
    `variables=${JSON.stringify(VARIABLES)}`,
  ]),
  postman('GraphQL body', HTTP, (url, kind) => ({
    method: 'POST',
    url,
    body: {
      mode: 'graphql',
      graphql: { query: operationOf(kind), variables: JSON.stringify(VARIABLES) },
    },
  })),
  postman('raw body', HTTP, (url, kind) => ({
    method: 'POST',
    url,
    header: [{ key: 'Content-Type', value: 'application/json' }],
    body: {
      mode: 'raw',
      raw: JSON.stringify({ query: operationOf(kind), variables: VARIABLES }),
      options: { raw: { language: 'json' } },
    },
  })),
];
