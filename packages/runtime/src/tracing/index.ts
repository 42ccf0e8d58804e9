export { errorTrace, setErrorTrace } from '../masked-error.ts';
export type { Span } from './span.ts';
export { isTracing, parseTraceparent, startSpan, startTracing, traceId } from './tracing.ts';
