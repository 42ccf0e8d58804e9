export { errorTrace, setErrorTrace } from './error-trace.ts';
export type { Span } from './span.ts';
export { isTracing, parseTraceparent, startSpan, startTracing, traceId } from './tracing.ts';
