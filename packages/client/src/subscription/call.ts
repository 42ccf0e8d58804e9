/** Calls a handler of the app. An error of the handler is reported as uncaught, and has no other effect. */
export function call<A extends unknown[]>(
  handler: ((...args: A) => void) | undefined,
  ...args: A
): void {
  try {
    handler?.(...args);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
