const traces = new WeakMap<object, string>();

/** Stores the trace of an error, for code that logs the error later without its operation. */
export function setErrorTrace(error: object, traceId: string | undefined): void {
  if (traceId !== undefined) traces.set(error, traceId);
}

/** Returns the trace id of an error for log lines; undefined if none was stored. */
export function errorTrace(error: unknown): string | undefined {
  return typeof error === 'object' && error !== null ? traces.get(error) : undefined;
}
