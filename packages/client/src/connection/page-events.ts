/**
 * Watches the page in a browser; elsewhere, it does nothing.
 * @param onChange called when the page is shown again, or the device goes offline or online: connections
 * may have been lost without a notice, or may be possible again
 * @returns a function that ends this
 */
export function watchPage(onChange: () => void): () => void {
  const { window, document } = globalThis as Partial<typeof globalThis>;
  const controller = new AbortController();
  const listen = (target: EventTarget | undefined, name: string, listener = onChange): void => {
    // React Native has a window without events.
    target?.addEventListener?.(name, listener, { signal: controller.signal });
  };
  listen(window, 'online');
  listen(window, 'offline');
  // A page that was frozen in the background.
  listen(document, 'resume');
  listen(document, 'visibilitychange', () => {
    if (document?.visibilityState === 'visible') onChange();
  });
  return () => controller.abort();
}
