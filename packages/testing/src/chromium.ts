import { existsSync } from 'node:fs';
import { env } from 'node:process';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

const PATHS = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];
/**
 * Flags of Chromium. Chromium cannot use its sandbox when it runs as root. It also contacts its
 * vendor unless flags forbid this.
 */
const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
];

export interface OpenPage {
  readonly page: Page;
  /** URLs of all requests so far, including websockets. */
  readonly requests: readonly string[];
  /** Uncaught errors and violations of the Content Security Policy. */
  readonly problems: readonly string[];
  readonly close: () => Promise<void>;
}

export interface RunningBrowser {
  readonly open: (options?: BrowserContextOptions) => Promise<OpenPage>;
  readonly close: () => Promise<void>;
}

/** Starts headless Chromium: the executable that CHROMIUM names, or an installed one. */
export async function startBrowser(): Promise<RunningBrowser> {
  const executablePath = env['CHROMIUM'] ?? PATHS.find((path) => existsSync(path));
  if (!executablePath)
    throw new Error('Chromium is not installed: install it, or set CHROMIUM to its path');
  const browser = await chromium.launch({ executablePath, args: ARGUMENTS });
  return {
    open: (options) => openPage(browser, options),
    close: () => browser.close(),
  };
}

/** Opens an empty page with its own cookies, storage and cache. */
async function openPage(browser: Browser, options: BrowserContextOptions = {}): Promise<OpenPage> {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 860 },
    locale: 'en-GB',
    ...options,
  });
  const page = await context.newPage();
  const requests: string[] = [];
  const problems: string[] = [];
  context.on('request', (request) => requests.push(request.url()));
  page.on('websocket', (socket) => requests.push(socket.url()));
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => {
    const text = message.text();
    if (/Content Security Policy|violates/i.test(text)) problems.push(text);
  });
  return { page, requests, problems, close: () => context.close() };
}
