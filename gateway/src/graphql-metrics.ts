import type { ApolloServerPlugin } from '@apollo/server';
import type { Metrics } from '@gudang/service';
import type { GatewayContext } from './context.ts';

export interface GraphqlMetrics {
  readonly plugin: ApolloServerPlugin<GatewayContext>;
  /** Counts an answer without errors that Apollo Server had no part in. @param from `performance.now()` then */
  readonly answered: (kind: 'query' | 'mutation', from: number) => void;
}

/** Counts and times queries and mutations, over HTTP and websockets alike. */
export function createGraphqlMetrics(metrics: Metrics): GraphqlMetrics {
  const seconds = metrics.histogram(
    'gateway_request_seconds',
    'Queries and mutations, from the parsed request to the answer; refused ones never ran',
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    ['operation', 'outcome'],
  );
  const ok = {
    query: seconds.labels({ operation: 'query', outcome: 'ok' }),
    mutation: seconds.labels({ operation: 'mutation', outcome: 'ok' }),
  };
  const plugin: ApolloServerPlugin<GatewayContext> = {
    requestDidStart: async () => {
      const from = performance.now();
      return {
        willSendResponse: async ({ operation, response }) => {
          if (response.body.kind !== 'single') return;
          const { data, errors } = response.body.singleResult;
          const failed = data === undefined ? 'refused' : 'errors';
          seconds.observe(
            { operation: operation?.operation ?? 'none', outcome: errors ? failed : 'ok' },
            (performance.now() - from) / 1000,
          );
        },
      };
    },
  };
  return {
    plugin,
    answered: (kind, from) => ok[kind].observe((performance.now() - from) / 1000),
  };
}
