export { errorTrace, setErrorTrace } from '../masked-error.ts';
export type { Span } from './span.ts';
export { parseTraceparent, readTraceContext } from './trace-context.ts';
export {
  admitCause,
  allowsJourneys,
  isTracing,
  isTracingAll,
  startSpan,
  startTracing,
  traceId,
} from './tracing.ts';
