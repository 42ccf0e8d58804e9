import type { CollectedSpan } from './collector.ts';

/** The spans that the trace of an order must contain, each with its parent span. */
export const EXPECTED_SPANS: readonly (readonly [
  service: string,
  name: string,
  cause: string | undefined,
])[] = [
  ['gateway', 'graphql', undefined],
  ['gateway', 'request order', 'gateway graphql'],
  ['order-subgraph', 'graphql', 'gateway request order'],
  ['order-subgraph', 'store order', 'order-subgraph graphql'],
  ['order-subgraph', 'outbox order_created', 'order-subgraph graphql'],
  ['stock-subgraph', 'consume order_created', 'order-subgraph outbox order_created'],
  ['stock-subgraph', 'outbox order_decided', 'stock-subgraph consume order_created'],
  ['stock-subgraph', 'outbox stock_changed', 'stock-subgraph consume order_created'],
  ['stock-subgraph', 'feed stock_changed', 'stock-subgraph outbox stock_changed'],
  ['gateway', 'push stock', 'stock-subgraph feed stock_changed'],
  ['order-subgraph', 'consume order_decided', 'stock-subgraph outbox order_decided'],
  ['order-subgraph', 'outbox order_changed', 'order-subgraph consume order_decided'],
  ['order-subgraph', 'feed order_changed', 'order-subgraph outbox order_changed'],
  ['gateway', 'push order', 'order-subgraph feed order_changed'],
];

const nameOf = ({ service, name }: CollectedSpan): string => `${service} ${name}`;

/** Returns the expected spans that are missing in a trace or have another parent. */
export function missingSpans(trace: readonly CollectedSpan[]): string[] {
  return EXPECTED_SPANS.flatMap(([service, name, cause]) => {
    const named = trace.filter((span) => nameOf(span) === `${service} ${name}`);
    if (named.length === 0) return [`${service} ${name}`];
    const causes = named.map(({ parentSpanId }) => {
      const parent = trace.find(({ spanId }) => spanId === parentSpanId);
      return parent && nameOf(parent);
    });
    return causes.includes(cause) ? [] : [`${service} ${name}, caused by ${cause}`];
  });
}
