/** The pages while things change: nothing is reloaded, nothing is lost; by keyboard alone, on a phone, light and dark. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Page } from 'playwright-core';
import { view } from '../helpers/browser.ts';
import { scene } from '../helpers/setup.ts';
import { handlerOn, site, stop } from '../helpers/site.ts';
import { until } from '../helpers/until.ts';
import { hashOf, jobs, looksWell } from './looks.ts';

const focusedText = (page: Page) =>
  page.evaluate(
    'document.activeElement.innerText || document.activeElement.name',
  ) as Promise<string>;

scene('what happens meanwhile shows without reloading; place, focus and question stay', async (t, stage) => {
  const queue = stage.queue();
  stage.worker(jobs);
  const { port } = await site(stage);
  for (let i = 0; i < 40; i++) await queue.enqueue('boom', [], { id: `first-${i}` });
  await until(async () => (await queue.counts()).failed === 40);
  const { page, problems, go } = await view(stage, port, { hash: hashOf('jobs', { queue: stage.name }), viewport: { width: 1000, height: 600 } });
  await page.evaluate('window.notReloaded = true');
  const row = (id: string) => page.locator(`tr[data-job="${id}"]`);
  await row('first-3').waitFor();

  await row('first-3').scrollIntoViewIfNeeded();
  const scrolled = await page.evaluate('scrollY');
  await row('first-3').getByRole('button', { name: 'Remove' }).click();
  const dialog = page.locator('dialog');
  await dialog.getByText('first-3').waitFor();
  await queue.enqueue('boom', [], { id: 'while-asked' });
  await row('while-asked').waitFor({ state: 'attached' });
  t.ok(await dialog.isVisible(), 'the question is still open');
  t.equal(await focusedText(page), 'Keep as it is');
  await page.keyboard.press('Escape');
  t.match(await focusedText(page), /^Remove/, 'focus is back where it came from');
  t.ok(Math.abs(Number(await page.evaluate('scrollY')) - Number(scrolled)) < 60, 'nearly the same place: one row came');

  const field = page.getByLabel('Job id');
  await field.fill('half typed');
  await queue.enqueue('boom', [], { id: 'while-typed' });
  await row('while-typed').waitFor({ state: 'attached' });
  t.equal(await field.inputValue(), 'half typed');
  t.equal(await focusedText(page), 'find');

  await go(hashOf('overview', { queue: stage.name }));
  const card = page.locator(`[data-queue="${stage.name}"]`);
  await card.locator('.s-failed b', { hasText: '42' }).waitFor();
  await queue.enqueue('boom');
  await queue.enqueue('add', [1, 2]);
  await card.locator('.s-failed b', { hasText: '43' }).waitFor();
  await card.locator('.s-completed b', { hasText: '1' }).waitFor();
  t.ok(await page.evaluate('window.notReloaded'));
  t.same(problems, []);
}); // prettier-ignore

scene('the server goes, and comes back: said, and mended without reloading', async (t, stage) => {
  const queue = stage.queue();
  const handler = handlerOn(stage);
  const listen = async (at: number) => {
    const server = createServer((request, response) => void handler(request, response));
    await new Promise<void>((resolve) => server.listen(at, '127.0.0.1', resolve));
    return server;
  };
  const first = await listen(0);
  const { port } = first.address() as AddressInfo;
  const { page, problems } = await view(stage, port);
  const card = page.locator(`[data-queue="${stage.name}"]`);
  await card.waitFor();
  await stop(first);
  await page.getByText('Connection lost.').waitFor();
  t.match(await page.locator('.link').innerText(), /Last seen \d+(\.\d)? s ago; trying again/);
  t.ok(await card.isVisible(), 'what was known still shows');
  await queue.enqueue('add', [1, 2]);
  const second = await listen(port);
  stage.onEnd(() => stop(second));
  await card.locator('.s-queued b', { hasText: '1' }).waitFor();
  await page.getByText('Connection lost.').waitFor({ state: 'detached' });
  t.same(problems.filter((line) => !/ERR_CONNECTION|ERR_EMPTY/.test(line)), []);
}); // prettier-ignore

scene('nobody looks: nothing is asked', async (t, stage) => {
  const { port } = await site(stage);
  const { page, problems } = await view(stage, port);
  await page.locator('.queues tr').first().waitFor();
  let asked = 0;
  page.on('request', () => asked++);
  const hide = (hidden: boolean) =>
    page.evaluate(`Object.defineProperty(document, 'hidden', { configurable: true, get: () => ${hidden} });
      document.dispatchEvent(new Event('visibilitychange'))`);
  await hide(true);
  await page.waitForLoadState('networkidle');
  asked = 0;
  await page.waitForTimeout(5_000);
  t.equal(asked, 0);
  await hide(false);
  await until(() => asked > 2, { what: 'it asks again, at once' });
  t.same(problems, []);
});

scene('by keyboard alone', async (t, stage) => {
  const queue = stage.queue();
  const worker = stage.worker(jobs);
  const { port } = await site(stage);
  for (const id of ['one', 'two', 'three']) await queue.enqueue('boom', [], { id });
  await until(async () => (await queue.counts()).failed === 3);
  await worker.stop();
  const { page, problems } = await view(stage, port);
  const { keyboard } = page;
  await page.locator('.queues tr').first().waitFor();
  const tabTo = async (wanted: RegExp) => {
    for (let i = 0; i < 60; i++) {
      await keyboard.press('Tab');
      if (wanted.test(await focusedText(page))) return;
    }
    throw new Error(`Tab never comes to ${wanted}`);
  };
  await keyboard.press('Tab');
  t.equal(await focusedText(page), 'Skip to the content');
  await keyboard.press('Enter');
  t.equal(await page.evaluate('document.activeElement.id'), 'main');
  await keyboard.press('?');
  await page.locator('dialog.keys').getByText('look for a job by its id').waitFor();
  await keyboard.press('Escape');
  await page.locator('dialog.keys').waitFor({ state: 'detached' });
  for (const [keys, heading] of [['gw', 'Workers'], ['gc', 'Cron'], ['gf', 'Failures'], ['gj', 'Jobs']] as const) {
    for (const key of keys) await keyboard.press(key);
    await page.locator('h1', { hasText: heading }).waitFor();
  }
  await page.locator('tr[data-job]').first().waitFor();
  await keyboard.press('/');
  t.equal(await focusedText(page), 'find');
  await keyboard.type('nobody');
  await keyboard.press('Enter');
  await page.getByText('No queue knows job nobody').waitFor();
  await page.getByLabel('Function (its whole name)').focus();
  await keyboard.type('boom');
  await page.getByText('3 found').waitFor();

  const outline = 'getComputedStyle(document.activeElement).outlineStyle';
  await tabTo(/^Retry all matching/);
  t.equal(await page.evaluate(outline), 'solid', 'focus can be seen');
  await tabTo(/^Retry\s+job/);
  await keyboard.press('Enter');
  await page.locator('.notices').getByText('is queued again').waitFor();
  await page.locator('tr[data-job]').nth(2).waitFor({ state: 'detached' });
  await until(async () => (await page.evaluate('document.activeElement.closest("tr") !== null')) === true, { what: 'focus is on the row that moved up' });

  await tabTo(/^Remove\s+job/);
  await keyboard.press('Enter');
  await page.locator('dialog[open]').waitFor();
  for (let i = 0; i < 5; i++) {
    await keyboard.press('Tab');
    t.not(await page.evaluate('document.activeElement.closest("main") !== null'), true, 'Tab stays in the question');
  }
  for (let i = 0; i < 5 && !/^Remove the job$/.test(await focusedText(page)); i++) await keyboard.press('Tab');
  await keyboard.press('Enter');
  await page.getByText('1 found').waitFor();
  t.match(await queue.counts(), { queued: 1, failed: 1 });
  await page.getByLabel('Text in the error').focus();
  await tabTo(/^(one|two|three)$/);
  await keyboard.press('Enter');
  await page.locator('section[aria-label="Error"]').waitFor();
  t.equal(await page.evaluate('document.activeElement.id'), 'main', 'a new page begins at its beginning');
  t.same(problems, []);
}); // prettier-ignore

looksWell([
  { colorScheme: 'light', width: 360 },
  { colorScheme: 'dark', width: 1280 },
]);
