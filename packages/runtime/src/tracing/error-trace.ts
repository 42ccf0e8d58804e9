const traces = new WeakMap<object, string>();

/** Notes in which trace an error happened, for whoever logs it later and knows nothing of its operation. */
export function setErrorTrace(error: object, traceId: string | undefined): void {
  if (traceId !== undefined) traces.set(error, traceId);
}

/** The id of the trace in which an error happened, for log lines; undefined where none was noted. */
export function errorTrace(error: unknown): string | undefined {
  return typeof error === 'object' && error !== null ? traces.get(error) : undefined;
}
