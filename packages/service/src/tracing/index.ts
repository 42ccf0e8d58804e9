export { eventTrace, noteEventTrace } from './event-trace.ts';
export { isTracing, type Span, startSpan, traceId } from './tracing.ts';
