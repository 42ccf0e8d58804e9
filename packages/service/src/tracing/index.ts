export { eventTrace, noteEventTrace } from './event-trace.ts';
export { causeIn, isTracing, type Span, startSpan, traceId } from './tracing.ts';
