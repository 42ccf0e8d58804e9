export { eventTrace, noteEventTrace } from './event-trace.ts';
export type { Span } from './span.ts';
export { causeIn, isTracing, startSpan, traceId } from './tracing.ts';
