import { existsSync } from 'node:fs';
import { env } from 'node:process';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

const PATHS = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];
/** Root's sandbox is refused by the kernel, and it asks its maker for news unless told not to. */
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
  /** The addresses of all requests so far, websockets among them. */
  readonly requests: readonly string[];
  /** What went wrong in the page: errors nobody caught, and what its policy has refused. */
  readonly problems: readonly string[];
  readonly close: () => Promise<void>;
}

export interface RunningBrowser {
  readonly open: (options?: BrowserContextOptions) => Promise<OpenPage>;
  readonly close: () => Promise<void>;
}

/** Headless Chromium of this machine, or the one that CHROMIUM names. */
export async function startBrowser(): Promise<RunningBrowser> {
  const executablePath = env['CHROMIUM'] ?? PATHS.find((path) => existsSync(path));
  if (!executablePath) throw new Error('No Chromium is installed: set CHROMIUM to where one is');
  const browser = await chromium.launch({ executablePath, args: ARGUMENTS });
  return {
    open: (options) => openPage(browser, options),
    close: () => browser.close(),
  };
}

/** An empty page with nothing from earlier ones: cookies, storage and cache are its own. */
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
