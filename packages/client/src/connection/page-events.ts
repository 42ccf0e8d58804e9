/**
 * Watches the page in a browser; elsewhere, it does nothing.
 * @param onWake the page is shown again, or the device is online again
 * @param onOffline the device is offline
 * @returns a function that ends this
 */
export function watchPage(onWake: () => void, onOffline: () => void = () => {}): () => void {
  const { window, document } = globalThis as Partial<typeof globalThis>;
  const onVisible = (): void => {
    if (document?.visibilityState === 'visible') onWake();
  };
  // `resume` follows a freeze, `pageshow` a return from the back-forward cache.
  const events: [EventTarget | undefined, string, () => void][] = [
    [window, 'online', onWake],
    [window, 'offline', onOffline],
    [window, 'pageshow', onWake],
    [document, 'resume', onWake],
    [document, 'visibilitychange', onVisible],
  ];
  // React Native has a window without events.
  for (const [target, name, listener] of events) target?.addEventListener?.(name, listener);
  return () => {
    for (const [target, name, listener] of events) target?.removeEventListener?.(name, listener);
  };
}

/** Whether the device reports that it is offline. */
export function isOffline(): boolean {
  return (globalThis as Partial<typeof globalThis>).navigator?.onLine === false;
}
