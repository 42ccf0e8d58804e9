import type { ApolloServerPlugin } from '@apollo/server';
import type { Metrics } from '@gudang/runtime';
import type { OperationDefinitionNode } from 'graphql';
import type { GatewayContext } from '../context.ts';

export interface GraphqlMetrics {
  readonly plugin: ApolloServerPlugin<GatewayContext>;
  /** Counts an answer without errors that Apollo Server had no part in. @param from `performance.now()` then */
  readonly answered: (operation: OperationDefinitionNode, from: number) => void;
}

/** Counts and times queries and mutations, each by its first field, over HTTP and websockets alike. */
export function createGraphqlMetrics(metrics: Metrics): GraphqlMetrics {
  const seconds = metrics.histogram(
    'gateway_request_seconds',
    'Queries and mutations by their first field, from the parsed request to the answer; refused ones never ran',
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    ['operation', 'outcome', 'field'],
  );
  const labelsOf = (operation: OperationDefinitionNode | undefined, outcome: string) => ({
    operation: operation?.operation ?? 'none',
    outcome,
    field: firstField(operation),
  });
  // Finding a series by its labels takes longer than counting; such operations come again and again.
  const found = new WeakMap<OperationDefinitionNode, ReturnType<typeof seconds.labels>>();
  const okOf = (operation: OperationDefinitionNode): ReturnType<typeof seconds.labels> => {
    const series = found.get(operation) ?? seconds.labels(labelsOf(operation, 'ok'));
    found.set(operation, series);
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
    answered: (operation, from) => okOf(operation).observe((performance.now() - from) / 1000),
  };
}

/**
 * Names a series: a field of the schema, of which there are few, and not what clients call their
 * operations, of which there may be any number. An operation is known once it is valid.
 */
function firstField(operation: OperationDefinitionNode | undefined): string {
  const [first] = operation?.selectionSet.selections ?? [];
  return first?.kind === 'Field' ? first.name.value : 'none';
}
