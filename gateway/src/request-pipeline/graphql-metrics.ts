import type { ApolloServerPlugin } from '@apollo/server';
import type { Metrics } from '@gudang/runtime';
import type { OperationDefinitionNode } from 'graphql';
import type { GatewayContext } from '../context.ts';

export interface GraphqlMetrics {
  readonly plugin: ApolloServerPlugin<GatewayContext>;
  /**
   * Counts an answer of the fast path. @param startedAt `performance.now()` at the start of the
   * request
   */
  readonly answered: (operation: OperationDefinitionNode, startedAt: number) => void;
}

/** Measures queries and mutations of every protocol by their first field. */
export function createGraphqlMetrics(metrics: Metrics): GraphqlMetrics {
  const seconds = metrics.histogram(
    'gateway_request_seconds',
    'Time of queries and mutations from the parsed request to the answer, by first field; outcome refused: never executed',
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    ['operation', 'outcome', 'field'],
  );
  const labelsOf = (operation: OperationDefinitionNode | undefined, outcome: string) => ({
    operation: operation?.operation ?? 'none',
    outcome,
    field: firstField(operation),
  });
  // Series are cached, because finding a series by its labels takes longer than counting.
  const cached = new WeakMap<OperationDefinitionNode, ReturnType<typeof seconds.labels>>();
  const okOf = (operation: OperationDefinitionNode): ReturnType<typeof seconds.labels> => {
    const series = cached.get(operation) ?? seconds.labels(labelsOf(operation, 'ok'));
    cached.set(operation, series);
    return series;
  };
  const plugin: ApolloServerPlugin<GatewayContext> = {
    requestDidStart: async () => {
      const from = performance.now();
      return {
        willSendResponse: async ({ operation, response }) => {
          if (response.body.kind !== 'single') return;
          const { data, errors } = response.body.singleResult;
          const failed = data === undefined ? 'refused' : 'errors';
          const labels = labelsOf(operation, errors ? failed : 'ok');
          seconds.observe(labels, (performance.now() - from) / 1000);
        },
      };
    },
  };
  return {
    plugin,
    answered: (operation, startedAt) =>
      okOf(operation).observe((performance.now() - startedAt) / 1000),
  };
}

/**
 * Returns the first field as the label of a series. A schema has few fields. Operation names, by
 * contrast, are not suitable as labels, because clients may send any number of them. The operation
 * is undefined until Apollo Server has found it to be valid.
 */
function firstField(operation: OperationDefinitionNode | undefined): string {
  const [first] = operation?.selectionSet.selections ?? [];
  return first?.kind === 'Field' ? first.name.value : 'none';
}
