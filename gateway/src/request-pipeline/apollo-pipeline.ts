import '../quiet-apollo.ts';
import type { IncomingHttpHeaders } from 'node:http';
import { ApolloServer, type ApolloServerPlugin, HeaderMap } from '@apollo/server';
import {
  ApolloServerPluginLandingPageDisabled,
  ApolloServerPluginUsageReportingDisabled,
} from '@apollo/server/plugin/disabled';
import { limitErrorsPlugin, MAX_ERRORS, traceOperations } from '@gudang/graphql';
import type { Logger, Stoppable } from '@gudang/runtime';
import type { RequirementsOf } from '../auth/field-requirements.ts';
import type { GatewayContext } from '../context.ts';
import { deferRules } from '../defer/defer-rules.ts';
import { createDocumentStore } from '../documents/document-cache.ts';
import { presentGatewayError } from '../errors/present-errors.ts';
import type { AdmittedRequest } from '../limits/admission.ts';
import type { PlanningBudget } from '../limits/planning-budget.ts';
import { findLabels, type LabelShares } from '../planning/progressive-overrides.ts';
import { unavailableAnswer } from '../subgraphs/subgraph-failure.ts';
import type { Subgraphs } from '../subgraphs/subgraphs.ts';
import type { LoadedSupergraph } from '../supergraph.ts';
import { authorizationPlugin, badInputPlugin, largeAnswerPlugin } from './apollo-plugins.ts';
import type { GraphqlMetrics } from './graphql-metrics.ts';
import { createQueryExecutor, type SendToSubgraph } from './query-executor.ts';
import type { HttpAnswer, RequestPipeline } from './request-pipeline.ts';

export interface ApolloPipeline extends RequestPipeline, Stoppable {
  /** Replaces the supergraph. @throws when Apollo rejects it */
  readonly use: (supergraph: LoadedSupergraph) => void;
}

interface Options {
  readonly supergraph: LoadedSupergraph;
  readonly subgraphs: Pick<Subgraphs, 'sources'>;
  readonly requirementsOf: RequirementsOf;
  readonly planning: PlanningBudget;
  /** Whether to allow introspection and "Did you mean" suggestions. */
  readonly explore: boolean;
  readonly maxTokens: number;
  /** Shares of the labels of progressive overrides. */
  readonly shares: LabelShares;
  readonly metrics: Pick<GraphqlMetrics, 'plugin'>;
  /** Plugins of operators, which run after those of the gateway. */
  readonly plugins: readonly ApolloServerPlugin<GatewayContext>[];
  readonly log: Logger;
}

/** Starts Apollo Server, with the gateway's own executor in place of ApolloGateway's. */
export async function startApolloPipeline(options: Options): Promise<ApolloPipeline> {
  const { planning, supergraph, subgraphs, shares, log } = options;
  const send: SendToSubgraph = (name, ...asked) =>
    subgraphs.sources[name]?.send(...asked) ??
    Promise.resolve(unavailableAnswer(name, 'was removed from the supergraph', false));
  const createExecutor = (loaded: LoadedSupergraph) => {
    warnOfUnknownLabels(loaded, shares, log);
    return createQueryExecutor(loaded, send, planning, { shares });
  };
  let executor = createExecutor(supergraph);
  let current = supergraph;
  let show: ShowSchema = () => {};
  // ApolloGateway would build a second query planner, which nothing would use.
  const server = createServer(options, {
    load: async () => {
      show(current);
      return { executor: (context) => executor(context) };
    },
    onSchemaLoadOrUpdate: (callback) => {
      show = ({ runnableSdl, schema }) =>
        callback({ apiSchema: schema, coreSupergraphSdl: runnableSdl });
      return () => {
        show = () => {};
      };
    },
    stop: async () => {},
  });
  await server.start();

  return {
    answer: (request, context) => answerByApollo(server, request, context),
    use: (next) => {
      const nextExecutor = createExecutor(next);
      show(next);
      current = next;
      executor = nextExecutor;
    },
    stop: () => server.stop(),
  };
}

/** Gives Apollo Server the schema of a supergraph. */
type ShowSchema = (supergraph: LoadedSupergraph) => void;

function warnOfUnknownLabels(supergraph: LoadedSupergraph, shares: LabelShares, log: Logger): void {
  if (shares.size === 0) return;
  const known = findLabels(supergraph);
  for (const label of shares.keys()) {
    if (known.has(label)) continue;
    log.warn(
      { label },
      'OVERRIDE_LABELS names a label that no @override of the supergraph has; it has no effect',
    );
  }
}

type ServerOptions = ConstructorParameters<typeof ApolloServer<GatewayContext>>[0];

function createServer(
  { explore, log, maxTokens, metrics, plugins, requirementsOf }: Options,
  gateway: NonNullable<ServerOptions['gateway']>,
): ApolloServer<GatewayContext> {
  return new ApolloServer<GatewayContext>({
    gateway,
    logger: toApolloLogger(log),
    introspection: explore,
    includeStacktraceInErrorResponses: false,
    // Apollo Server's own option removes suggestions from the messages by a regular expression, which
    // takes seconds for a message of 250 KB.
    validationRules: [...deferRules],
    validationOptions: { hideSuggestions: !explore, maxErrors: MAX_ERRORS },
    // The gateway's process handles signals itself, and stops Apollo Server after the websockets.
    stopOnTerminationSignals: false,
    documentStore: createDocumentStore(),
    // The gateway finds persisted queries before Apollo Server receives the request.
    persistedQueries: false,
    parseOptions: { maxTokens },
    formatError: (formatted, error) => presentGatewayError(formatted, error, log),
    // By default, Apollo Server pretty-prints results, which takes half of the time that
    // @apollo/server itself needs for a request.
    stringifyResult: (value) => JSON.stringify(value),
    plugins: [
      metrics.plugin,
      traceOperations<GatewayContext>(({ forward }) => forward),
      limitErrorsPlugin,
      badInputPlugin,
      largeAnswerPlugin,
      authorizationPlugin(requirementsOf),
      ApolloServerPluginLandingPageDisabled(),
      // Apollo Server would report usage to Apollo if APOLLO_KEY is set, which loads the supergraph.
      ...(plugins.some(reportsUsage) ? [] : [ApolloServerPluginUsageReportingDisabled()]),
      ...plugins,
    ],
  });
}

/** Whether an operator has added Apollo's plugin for usage reports, which conflicts with its opposite. */
function reportsUsage(plugin: ApolloServerPlugin<GatewayContext>): boolean {
  return '__internal_plugin_id__' in plugin && plugin.__internal_plugin_id__ === 'UsageReporting';
}

/**
 * Passes an admitted request to Apollo Server as an HTTP request that contains nothing else, except the
 * client's headers if plugins read them. Apollo
 * Server parses this request again, but cannot read another operation than the admitted one. It
 * applies its CSRF prevention and its rules for methods and status codes.
 */
async function answerByApollo(
  server: ApolloServer<GatewayContext>,
  { query, operationName, variables, accepts, method, preflight }: AdmittedRequest,
  context: GatewayContext,
): Promise<HttpAnswer> {
  const headers = new HeaderMap(Object.entries(preflight));
  if (context.client) addHeaders(headers, context.client.headers);
  headers.set('accept', accepts.json ?? 'application/json');
  const named = operationName === undefined ? {} : { operationName };
  const {
    status,
    headers: answered,
    body,
  } = await server.executeHTTPGraphQLRequest({
    httpGraphQLRequest: {
      method,
      headers,
      body: method === 'GET' ? undefined : { query, variables, ...named },
      search:
        method === 'GET'
          ? `?${new URLSearchParams({ query, variables: JSON.stringify(variables), ...named })}`
          : '',
    },
    context: async () => context,
  });
  if (body.kind !== 'complete') throw new Error('incremental delivery is not supported');
  return { status: status ?? 200, headers: answered, body: body.string };
}

/** Adds the headers of a client, except those by which Apollo Server's CSRF prevention has been decided. */
function addHeaders(headers: HeaderMap, sent: IncomingHttpHeaders): void {
  for (const [name, value] of Object.entries(sent)) {
    if (value === undefined || headers.has(name) || PREFLIGHT_HEADERS.includes(name)) continue;
    headers.set(name, Array.isArray(value) ? value.join(', ') : value);
  }
}
const PREFLIGHT_HEADERS = ['content-type', 'x-apollo-operation-name', 'apollo-require-preflight'];

/**
 * Returns the logger of Apollo's libraries. Their announcements are logged at debug level, because
 * they are not useful to an operator.
 */
function toApolloLogger(log: Logger) {
  return {
    debug: () => {},
    info: (message?: unknown) => log.debug(message),
    warn: (message?: unknown) => log.warn(message),
    error: (message?: unknown) => log.error(message),
  };
}
