const traces = new WeakMap<object, string | undefined>();

/**
 * Notes what caused the event that a subscription is about to send.
 * @param context the context of its operation
 */
export function setEventTrace(context: object, traceparent: string | undefined): void {
  if (traceparent !== undefined || traces.has(context)) traces.set(context, traceparent);
}

/** What caused the event that a subscription of this context sends right now. */
export function eventTrace(context: unknown): string | undefined {
  return typeof context === 'object' && context !== null ? traces.get(context) : undefined;
}
