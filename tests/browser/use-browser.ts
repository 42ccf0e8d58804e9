import { type RunningBrowser, startBrowser } from '@gudang/testing/chromium';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, expect } from 'vitest';

export interface Visit {
  /** Of the gateway, such as `http://127.0.0.1:4000`. */
  readonly origin: string;
  readonly path: string;
  readonly options?: BrowserContextOptions;
  /** Beside the gateway, whom the page may ask: none unless told. */
  readonly mayAsk?: readonly string[];
  /** Before the page is loaded, such as to answer for others. */
  readonly prepare?: (page: Page) => Promise<void>;
}

/**
 * One browser for all tests of a file.
 * @returns a visit of a page: fails when the page asks anybody else, or something goes wrong in it
 */
export function useBrowser(): (visit: Visit, look: (page: Page) => Promise<void>) => Promise<void> {
  let browser: RunningBrowser | undefined;
  beforeAll(async () => {
    browser = await startBrowser();
  });
  afterAll(() => browser?.close());

  return async ({ origin, path, options, mayAsk = [], prepare }, look) => {
    if (!browser) throw new Error('The browser is not started yet: visit inside a test');
    const opened = await browser.open(options);
    try {
      await prepare?.(opened.page);
      await opened.page.goto(`${origin}${path}`);
      await look(opened.page);
      const others = opened.requests.filter(
        (url) => ![origin, ...mayAsk].some((host) => url.replace(/^ws/, 'http').startsWith(host)),
      );
      expect(others.filter((url) => !/^(?:data|blob):/.test(url))).toEqual([]);
      expect(opened.problems).toEqual([]);
    } finally {
      await opened.close();
    }
  };
}
