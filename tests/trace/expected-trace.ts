import type { CollectedSpan } from './collector.ts';

/** What an order goes through, each with what caused it. */
export const ROAD: readonly (readonly [
  service: string,
  name: string,
  cause: string | undefined,
])[] = [
  ['gateway', 'graphql', undefined],
  ['gateway', 'request order', 'gateway graphql'],
  ['order-subgraph', 'graphql', 'gateway request order'],
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

/** What of the road a trace lacks: spans, or the causes of spans. */
export function missingOf(trace: readonly CollectedSpan[]): string[] {
  return ROAD.flatMap(([service, name, cause]) => {
    const named = trace.filter((span) => nameOf(span) === `${service} ${name}`);
    if (named.length === 0) return [`${service} ${name}`];
    const causes = named.map(({ parentSpanId }) => {
      const parent = trace.find(({ spanId }) => spanId === parentSpanId);
      return parent && nameOf(parent);
    });
    return causes.includes(cause) ? [] : [`${service} ${name}, caused by ${cause}`];
  });
}
