export { errorTrace, noteErrorTrace } from './error-trace.ts';
export type { Span } from './span.ts';
export { causeIn, isTracing, startSpan, startTracing, traceId } from './tracing.ts';
