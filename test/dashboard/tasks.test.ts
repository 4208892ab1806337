/** What somebody is woken up for, in a real browser, with the number of clicks; and what the pages can do besides. */
import type { Page } from 'playwright-core';
import t from 'tap';
import { chord, Fail, job, Queue, step } from '../../src/index.ts';
import { barriers, view } from '../helpers/browser.ts';
import { gate } from '../helpers/gate.ts';
import { scene, type Stage } from '../helpers/setup.ts';
import { site } from '../helpers/site.ts';
import { until } from '../helpers/until.ts';
import { hashOf } from './looks.ts';

t.setTimeout(120_000);

/** Counts what somebody presses. */
function presser(page: Page) {
  let clicks = 0;
  const press = async (
    role: 'button' | 'link',
    name: string | RegExp,
    within = page.locator('body'),
  ) => {
    clicks++;
    await within.getByRole(role, { name }).first().click();
  };
  return { press, clicks: () => clicks };
}

const once = { retries: 0 };

scene('find what is failing most, and retry all of it: two clicks', async (t, stage) => {
  const queue = stage.queue();
  let broken = true;
  stage.worker({ charge: (n: number) => { if (broken) throw new Error(`card ${n} declined by "bank ${n}"`); return n; }, mail: (to: string) => { throw new Fail(`no mailbox ${to}`); } });
  await queue.enqueueMany(Array.from({ length: 41 }, (_, n) => ({ fn: 'charge', args: [n], ...once })));
  await queue.enqueueMany(['ann', 'bob'].map((to) => ({ fn: 'mail', args: [to] })));
  await until(async () => (await queue.counts()).failed === 43);
  const { port } = await site(stage);
  const { page, problems } = await view(stage, port);
  const { press, clicks } = presser(page);
  const first = page.locator('.kinds tbody tr').first();
  await first.getByText('Error: card <n> declined by "…"').waitFor();
  t.match(await first.innerText(), /41/);
  broken = false;
  await press('button', 'Retry 41', first);
  await press('button', 'Retry 41', page.locator('dialog'));
  await page.getByText('41 jobs are queued again').waitFor();
  t.equal(clicks(), 2);
  await until(async () => (await queue.counts()).completed === 41);
  t.equal((await queue.counts()).failed, 2, 'and nothing else');
  await page.locator('.kinds tbody tr').first().getByText('Fail: no mailbox').first().waitFor();
  t.same(problems, []);
}); // prettier-ignore

scene('see why job X is late: paste its id, Enter', async (t, stage) => {
  const queue = stage.queue();
  const far = new Queue(`${stage.name}-far`, { redis: stage.redis.url });
  stage.onEnd(() => far.close());
  await queue.enqueue('f');
  await far.enqueue('f', [], { id: 'order-4711' });
  await far.pause();
  const { port } = await site(stage, { queues: [stage.name, far.name] });
  const { page, problems } = await view(stage, port);
  await page.keyboard.press('/');
  await page.keyboard.type('order-4711');
  await page.keyboard.press('Enter');
  await page.locator('h1', { hasText: 'order-4711' }).waitFor();
  await page.locator('.banner').getByText('is paused, nothing new starts').waitFor();
  await page.locator('.banner').getByText('no worker is alive').waitFor();
  await page.getByText('Waits for a free slot').waitFor();
  t.same(problems, []);
});

scene('stop the worker that leaks: three clicks; a process with two queues is one', async (t, stage) => {
  const far = `${stage.name}-far`;
  stage.worker({ f: () => 1, g: () => 2 });
  stage.worker({ f: () => 1 }, { queue: far });
  const queue = stage.queue();
  await until(async () => (await queue.workers()).length === 1);
  const { port } = await site(stage, { queues: [stage.name, far] });
  const { page, problems } = await view(stage, port);
  const { press, clicks } = presser(page);
  await press('link', 'Workers');
  const card = page.locator('article[data-worker]');
  await card.getByText('Slots of').nth(1).waitFor();
  t.equal(await card.count(), 1);
  await card.locator('summary', { hasText: 'Knows 2 functions' }).waitFor();
  await press('button', /^Stop/, card);
  await press('button', 'Stop the worker');
  await page.getByText('is stopping').waitFor();
  t.equal(clicks(), 3);
  t.same(problems, []);
}); // prettier-ignore

scene("run tomorrow's report now: two clicks", async (t, stage) => {
  const queue = stage.queue();
  await queue.schedule('report', { cron: '0 6 * * *', fn: 'report' });
  const { port } = await site(stage);
  const { page, problems } = await view(stage, port);
  const { press, clicks } = presser(page);
  await press('link', 'Cron');
  await page.locator('tr[data-entry]').getByText('at 06:00').waitFor();
  await page.getByText(/then \d\d-\d\d 06:00, \d\d-\d\d 06:00, \d\d-\d\d 06:00/).waitFor();
  await press('button', /^Run now/);
  await page.getByText('report is queued as job').waitFor();
  t.equal(clicks(), 2);
  t.equal((await queue.counts()).queued, 1);
  t.same(problems, []);
});

scene('find the flow step that failed among 1,000: two clicks', async (t, stage) => {
  const queue = stage.queue();
  stage.worker({ part: (n: number) => { if (n === 417) throw new RangeError('out of range'); return n; }, sum: () => 0 }, { concurrency: 100 });
  const last = await queue.enqueue(chord(Array.from({ length: 1_000 }, (_, n) => step('part', [n], once)), step('sum')));
  await t.rejects(last.result({ timeout: '30s' }));
  await until(async () => (await queue.counts()).completed === 999);
  const { port } = await site(stage);
  const { page, problems } = await view(stage, port, { hash: hashOf('job', { queue: stage.name, id: last.id }) });
  const { press, clicks } = presser(page);
  t.match((await page.locator('.states').innerText()).replace(/\s+/g, ' '), '2 failed 999 completed');
  const box = page.locator('.flow a.box', { hasText: 'part' }).first();
  t.match(await box.innerHTML(), /\.417/, 'those that failed come first');
  await press('link', /part.*failed/);
  await page.locator('h1', { hasText: '.417' }).waitFor();
  await page.locator('section[aria-label="Error"]').getByText('out of range').first().waitFor();
  t.match(await page.locator('pre.stack .own').first().innerText(), /tasks\.test\.ts/, 'where the app is, is marked');
  await page.goBack();
  await page.getByRole('link', { name: /997 more|\d+ more: completed/ }).click();
  await until(async () => (await page.locator('.flow a.box').count()) > 400, { what: 'opened on demand' });
  await page.goBack();
  await page.locator('.flow a.box', { hasText: '.417' }).click();
  await press('button', 'Retry');
  await page.getByText('is queued again; 1 step of its flow waits for it again').waitFor();
  t.equal(clicks(), 2);
  t.same(problems, []);
}); // prettier-ignore

scene('ticked jobs: so many, and no more, are retried, removed, cancelled', async (t, stage) => {
  const queue = stage.queue();
  const worker = stage.worker({ fail: job(once, () => { throw new Fail('no'); }) });
  for (let n = 0; n < 6; n++) await queue.enqueue('fail', [{ customer: `c${n}` }], { id: `j${n}` });
  await until(async () => (await queue.counts()).failed === 6);
  await worker.stop();
  const { port } = await site(stage);
  const { page, problems, go } = await view(stage, port, { hash: hashOf('jobs', { queue: stage.name }) });
  const dialog = page.locator('dialog');
  for (const id of ['j1', 'j2', 'j3']) await page.getByLabel(`Job ${id}`).check();
  await page.getByRole('button', { name: 'Remove 3' }).click();
  await dialog.getByRole('button', { name: 'Remove 3' }).click();
  await page.getByText('3 jobs are removed').waitFor();
  t.equal((await queue.counts()).failed, 3);
  await page.getByLabel('All on this page').check();
  await queue.retry('j0'); // meanwhile somebody else does
  await page.getByRole('button', { name: /^Retry [23]…$/ }).click();
  await dialog.getByRole('button', { name: /^Retry [23]$/ }).click();
  await page.getByText('2 jobs are queued again').waitFor();
  t.equal(await page.getByRole('button', { name: /^Remove all/ }).count(), 0, 'nothing is left of that state');
  await go(hashOf('jobs', { queue: stage.name, state: 'queued' }));
  await page.getByLabel('Text in the arguments').fill('C5');
  await page.getByText('1 found').waitFor();
  t.match(page.url(), /args=C5/);
  await page.getByLabel('Job j5').check();
  await page.getByRole('button', { name: 'Cancel 1' }).click();
  await dialog.getByRole('button', { name: 'Cancel 1' }).click();
  await page.getByText('1 job is cancelled').waitFor();
  t.equal(await queue.job('j5').state(), 'cancelled');
  t.same(problems, []);
}); // prettier-ignore

scene('a copy with other arguments; the limits of a queue', async (t, stage) => {
  const queue = stage.queue();
  const first = await queue.enqueue('add', [1, 2], { retries: 7, priority: 'high', meta: { a: 'b' } });
  const { port } = await site(stage);
  const { page, problems, go } = await view(stage, port, { hash: hashOf('job', { queue: stage.name, id: first.id }) });
  await page.getByText('1 of 8').waitFor();
  await page.getByText('Enqueue a copy').click();
  const args = page.getByLabel('Arguments, a JSON array');
  await args.fill('{"no": "array"}');
  await page.getByRole('button', { name: 'Enqueue the copy' }).click();
  await page.getByText('give the arguments as a JSON array').waitFor();
  await args.fill('[3, {"x": "ä"}]');
  await page.getByRole('button', { name: 'Enqueue the copy' }).click();
  await page.getByText('Enqueued as job').waitFor();
  const copy = (await queue.jobs('queued')).find(({ id }) => id !== first.id);
  t.match(copy, { fn: 'add', args: [3, { x: 'ä' }], retries: 7, priority: 'high', meta: { a: 'b' } });

  await go(hashOf('overview', { queue: stage.name }));
  await page.getByText('Limit this queue').click();
  await page.getByLabel('Most that begin').fill('100/1m');
  await page.getByLabel('Most at once').fill('5');
  await page.getByRole('button', { name: 'Set the limits' }).click();
  await page.locator('.badge', { hasText: 'at most 100 begin in 1 min, 5 at once' }).waitFor();
  t.match((await queue.counts()).limit, { concurrency: 5, rate: { count: 100, perMs: 60_000 } });
  t.equal(await page.getByLabel('Most that begin').inputValue(), '100/1m');
  for (const field of ['Most that begin', 'Most at once']) await page.getByLabel(field).fill('');
  await page.getByRole('button', { name: 'Set the limits' }).click();
  await page.getByText('has no limits').waitFor();
  t.equal((await queue.counts()).limit, undefined);
  t.match(problems, [/status of 400/], 'of the arguments that are none');
}); // prettier-ignore

const TOKEN = 'a-token-of-some-length';

scene('who has the token logs in, and stays so; the theme is remembered', async (t, stage) => {
  const queue = stage.queue();
  await queue.enqueue('f');
  const { port } = await site(stage, { token: TOKEN });
  const { page } = await view(stage, port);
  const token = page.getByLabel('Token');
  await token.fill('wrong');
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByText('this is not the token').waitFor();
  await token.fill(TOKEN);
  await page.keyboard.press('Enter');
  await page.locator(`[data-queue="${stage.name}"]`).waitFor();
  t.equal(await page.evaluate('document.cookie'), '', 'scripts can not read it');
  await page.reload();
  await page.locator(`[data-queue="${stage.name}"]`).waitFor();
  const ground = () => page.evaluate('getComputedStyle(document.body).backgroundColor');
  const before = await ground();
  await page.getByRole('button', { name: 'Theme: system' }).click();
  await page.getByRole('button', { name: 'Theme: light' }).click();
  await page.getByRole('button', { name: 'Theme: dark' }).waitFor();
  t.not(await ground(), before);
  await page.reload();
  await page.getByRole('button', { name: 'Theme: dark' }).waitFor();
  t.not(await ground(), before);
});

async function everything(stage: Stage) {
  const queue = stage.queue();
  const door = gate();
  stage.worker({
    pass: door.pass,
    boom: job(once, () => {
      throw new TypeError('no "luck" 7');
    }),
    add: (a: number, b: number) => a + b,
  });
  stage.onEnd(async () => door.open());
  const failing = await queue.enqueue('boom', [{ text: 'x'.repeat(300) }]);
  const running = await queue.enqueue('pass');
  const flow = await queue.enqueue(chord([step('add', [1, 2]), step('boom')], step('add')));
  await queue.schedule('nightly', { cron: '0 2 * * *', fn: 'add', args: [1, 2] });
  await queue.enqueue('add', [1, 2], { delay: '1h' });
  await queue.limit({ rate: '1000/1s', concurrency: 50 });
  await until(async () => (await queue.counts()).failed === 3);
  const { name } = stage;
  return [
    '#/overview', '#/failures', '#/workers', '#/cron', hashOf('overview', { queue: name }),
    ...['failed', 'scheduled', 'active'].map((state) => hashOf('jobs', { queue: name, state })),
    ...[failing, running, flow].map(({ id }) => hashOf('job', { queue: name, id })),
  ]; // prettier-ignore
}

scene('nobody is kept out: axe finds nothing serious, on a phone and on a desk, light and dark', async (t, stage) => {
  const places = await everything(stage);
  const { port } = await site(stage);
  for (const [colorScheme, width] of [['light', 1280], ['dark', 360]] as const) {
    const { page, problems, go } = await view(stage, port, { colorScheme, viewport: { width, height: 740 } });
    for (const hash of places) {
      await go(hash);
      await page.waitForLoadState('networkidle');
      t.same(await barriers(page), [], `${colorScheme} ${width} ${hash}`);
    }
    await page.keyboard.press('?');
    await page.locator('dialog.keys').waitFor();
    t.same(await barriers(page), [], 'the keys');
    t.same(problems, []);
  }
  const locked = await site(stage, { token: TOKEN });
  const { page } = await view(stage, locked.port);
  await page.getByLabel('Token').waitFor();
  t.same(await barriers(page), [], 'the login');
}); // prettier-ignore
