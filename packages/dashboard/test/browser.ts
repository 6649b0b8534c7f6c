/** A real browser, headless, and what its pages complain of. */
import { spawnSync } from 'node:child_process';
import {
  chromium,
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  type Page,
} from 'playwright-core';

/** Milliseconds that a page is given for anything; a machine may be busy. */
const PATIENCE = 45_000;

/** The program's name. */
export const CHROMIUM = 'chromium';

/** Starts it; it asks nobody for anything but what its pages want. */
export function startBrowser(): Promise<Browser> {
  const found = spawnSync('sh', ['-c', 'command -v -- "$1"', 'sh', CHROMIUM], { encoding: 'utf8' });
  return chromium.launch({
    executablePath: found.stdout.trim(),
    args: ['--no-sandbox', '--disable-background-networking'],
  });
}

/** A window of a browser that has been nowhere yet, with what went wrong in it. */
export class WatchedPage implements AsyncDisposable {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Errors of the page and warnings of the browser. */
  readonly complaints: string[] = [];
  /** Where it asked for something. */
  readonly origins: Set<string> = new Set();

  static async open(browser: Browser, options: BrowserContextOptions = {}): Promise<WatchedPage> {
    const context = await browser.newContext({
      viewport: { width: 1280, height: 900 },
      ...options,
    });
    return new WatchedPage(context, await context.newPage());
  }

  private constructor(context: BrowserContext, page: Page) {
    this.context = context;
    this.page = page;
    page.setDefaultTimeout(PATIENCE);
    page.on('pageerror', (error) => this.complaints.push(String(error)));
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) this.complaints.push(message.text());
    });
    page.on('request', (request) => this.origins.add(new URL(request.url()).origin));
  }

  /** Opens a dashboard and waits until it shows something. */
  async visit(url: string): Promise<Page> {
    await this.page.goto(url);
    await this.page.locator('#contact.live').waitFor();
    return this.page;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.context.close();
  }
}
