import { type RunningBrowser, startBrowser } from '@gudang/testing/chromium';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, expect } from 'vitest';

export interface Visit {
  /** Origin of the gateway, for example `http://127.0.0.1:4000`. */
  readonly origin: string;
  readonly path: string;
  readonly options?: BrowserContextOptions;
  /** Other origins to which the page may send requests; default: none. */
  readonly allowedOrigins?: readonly string[];
  /** Called before the page is loaded, for example to stub other servers. */
  readonly prepare?: (page: Page) => Promise<void>;
}

/**
 * Starts one browser for all tests of a file.
 * @returns a function that opens a page and runs a test on it. It fails if the page causes an error or
 * sends a request to another origin.
 */
export function useBrowser(): (visit: Visit, test: (page: Page) => Promise<void>) => Promise<void> {
  let browser: RunningBrowser | undefined;
  beforeAll(async () => {
    browser = await startBrowser();
  });
  afterAll(() => browser?.close());

  return async ({ origin, path, options, allowedOrigins = [], prepare }, test) => {
    if (!browser) throw new Error('The browser is not started yet: call this inside a test');
    const opened = await browser.open(options);
    try {
      await prepare?.(opened.page);
      await opened.page.goto(`${origin}${path}`);
      await test(opened.page);
      const others = opened.requests.filter(
        (url) =>
          ![origin, ...allowedOrigins].some((host) => url.replace(/^ws/, 'http').startsWith(host)),
      );
      expect(others.filter((url) => !/^(?:data|blob):/.test(url))).toEqual([]);
      expect(opened.problems).toEqual([]);
    } finally {
      await opened.close();
    }
  };
}
