/** A real browser before the dashboard's pages, which hears of everything that must not happen there. */
import { accessSync, constants, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import t from 'tap';
import type { Stage } from './setup.ts';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** @throws saying what to install */
function findBrowser(): string {
  const given = process.env['MINQ_TEST_CHROMIUM'];
  const folders = [...(process.env['PATH'] ?? '').split(path.delimiter), '/usr/bin'];
  const places = given
    ? [given]
    : folders.flatMap((folder) => NAMES.map((name) => path.join(folder, name)));
  const found = places.find((file) => {
    try {
      accessSync(file, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
  if (found) return found;
  throw new Error(
    given
      ? `MINQ_TEST_CHROMIUM: there is no program ${given}`
      : 'no Chromium was found; install it (apt-get install chromium), or set MINQ_TEST_CHROMIUM to its path',
  );
}

let browser: Promise<Browser> | undefined;

/** One for all tests of the file. */
function theBrowser(): Promise<Browser> {
  if (!browser) {
    const launched = chromium.launch({ executablePath: findBrowser(), args: ['--no-sandbox'] });
    browser = launched;
    t.teardown(async () => (await launched).close());
  }
  return browser;
}

export interface View {
  readonly page: Page;
  /** What must not happen: messages on the console, exceptions, breaches of the policy, foreign requests, dialogs. */
  readonly problems: string[];
  /** Goes to a place behind the `#`, and waits for its heading. */
  readonly go: (hash: string) => Promise<void>;
}

/** Opens the pages in a context of their own, until after the test. */
export async function view(
  stage: Stage,
  port: number,
  options: BrowserContextOptions & { hash?: string } = {},
): Promise<View> {
  const { hash = '', ...given } = options;
  const context = await (await theBrowser()).newContext({ locale: 'en-GB', ...given });
  stage.onEnd(() => context.close());
  context.setDefaultTimeout(20_000);
  const problems: string[] = [];
  const base = `http://localhost:${port}/`;
  await context.exposeFunction('minqBreach', (what: string) => void problems.push(`CSP ${what}`));
  await context.addInitScript(`addEventListener('securitypolicyviolation', (event) =>
    minqBreach(event.violatedDirective + ' ' + event.blockedURI))`);
  const page = await context.newPage();
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) problems.push(`console ${message.text()}`);
  });
  page.on('pageerror', (error) => problems.push(`exception ${error.stack}`));
  page.on('dialog', (dialog) => {
    problems.push(`dialog ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(base) && !url.startsWith('data:')) problems.push(`request ${url}`);
  });
  await page.goto(base + hash);
  const headed = () => page.locator('h1').first().waitFor();
  await headed();
  return {
    page,
    problems,
    go: async (next) => {
      await page.evaluate(`location.hash = ${JSON.stringify(next)}`);
      await headed();
    },
  };
}

/** How many pixels the page is wider than the window: nothing may make it scroll sideways. */
export const overhang = (page: Page): Promise<number> =>
  page.evaluate<number>(
    'document.documentElement.scrollWidth - document.documentElement.clientWidth',
  );

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What keeps people out who see, hear or move otherwise: what axe calls serious. */
export async function barriers(page: Page): Promise<unknown> {
  await page.evaluate(AXE);
  return page.evaluate(`axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) =>
    violations.filter(({ impact }) => ['serious', 'critical'].includes(impact))
      .map(({ id, nodes }) => id + ': ' + nodes.slice(0, 3).map(({ html, any }) => html.slice(0, 200) + ' ' + (any[0]?.message ?? '')).join(' | ')))`);
}
