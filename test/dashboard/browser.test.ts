/** The dashboard's pages in a real browser, before the real handler, a real Redis and real workers. */
import { chain, chord, currentJob, Fail, group, job, step } from '../../src/index.ts';
import { view } from '../helpers/browser.ts';
import { gate } from '../helpers/gate.ts';
import { scene, type Stage } from '../helpers/setup.ts';
import { site } from '../helpers/site.ts';
import { until } from '../helpers/until.ts';

const jobs = {
  add: (a: number, b: number) => a + b,
  merge: (all: unknown[]) => all.length,
  boom: job({ retries: 0 }, (what = 'no luck') => {
    currentJob().log.warn('it will not do');
    throw new TypeError(what);
  }),
  flaky: job({ retries: 1, backoff: 1 }, () => {
    if (currentJob().attempt === 1) throw new RangeError('the first time it fails');
    return { 'well, now': [1, 2, 3] };
  }),
  gone: () => {
    throw new Fail('gone for good');
  },
};

const hashOf = (page: string, values: Record<string, string>) =>
  `#/${page}?${new URLSearchParams(values).toString()}`;

/** Fails the jobs for good that are enqueued, and waits for it. */
async function failed(
  stage: Stage,
  fns: ('boom' | 'gone')[],
  message = 'no luck',
): Promise<string[]> {
  const queue = stage.queue();
  const worker = stage.worker(jobs);
  const made = await queue.enqueueMany(
    fns.map((fn) => ({ fn, args: fn === 'boom' ? [message] : [] })),
  );
  await until(async () => (await queue.counts()).failed === fns.length);
  await worker.stop();
  return made.map((one) => (one.status === 'fulfilled' ? one.value.id : ''));
}

scene('overview: what needs attention, and the way out', async (t, stage) => {
  const queue = stage.queue();
  const { port } = await site(stage);
  await queue.enqueueMany([1, 2, 3].map((n) => ({ fn: 'add', args: [n, n] })));
  await queue.pause();
  const { page, problems } = await view(stage, port);
  const banners = page.locator('.banners');
  await banners.getByText(': no worker is alive, with 3 queued').waitFor();
  await banners.getByText('is paused, nothing new starts; 3 queued jobs').waitFor();
  const card = page.locator(`[data-queue="${stage.name}"]`);
  t.equal(await card.locator('.s-queued b').innerText(), '3');
  await banners.getByText('1 problem, 1 warning.').waitFor();
  await banners.getByRole('button', { name: 'Resume' }).click();
  await page.locator('.notices').getByText('goes on').waitFor();
  t.notOk((await queue.counts()).paused);
  await banners.getByText('is paused').waitFor({ state: 'detached' });
  await card.getByRole('button', { name: 'Pause' }).click();
  await card.locator('.badge', { hasText: 'paused' }).waitFor();
  t.ok((await queue.counts()).paused);
  await card.getByRole('button', { name: 'Resume' }).click();

  stage.worker(jobs);
  await card.locator('.s-completed b', { hasText: '3' }).waitFor();
  await banners.getByText('no worker is alive').waitFor({ state: 'detached' });
  await queue.enqueue('gone');
  await page.locator('.kinds').getByText('gone for good').first().waitFor();
  await card.getByRole('link', { name: stage.name }).click();
  await page.locator('h1', { hasText: stage.name }).waitFor();
  await page.getByText('No history yet.').waitFor();
  await card.locator('.s-failed a').click();
  await page.locator('h1', { hasText: 'Jobs' }).waitFor();
  await page.locator('table.jobs .known', { hasText: 'gone for good' }).waitFor();
  t.same(problems, []);
});

scene(
  'a queue: plots of what Redis kept, read by pointer and keys; functions',
  async (t, stage) => {
    await failed(stage, ['boom', 'gone', 'gone']);
    const { redis, name } = stage;
    const now = Date.now();
    // As the pruner notes it each minute: time, counters, depths.
    const rows = Array.from({ length: 31 }, (_, i) =>
      [now - (30 - i) * 60_000, i * 120, i * 100, i * 2, 0, i, 0, 7, 5, 3].join(' '),
    );
    await redis.client.del(`minq:{${name}}:history`);
    await redis.client.rpush(`minq:{${name}}:history`, ...rows);
    stage.worker(jobs);
    const { port } = await site(stage);
    const hash = hashOf('overview', { queue: name });
    const { page, problems, go } = await view(stage, port, { hash });
    await page
      .locator('.banners')
      .getByText(/\d+ of [\d,]+ jobs that ended in the last hour failed/)
      .waitFor();
    t.equal(await page.locator('.plot canvas').count(), 3);
    const throughput = page.locator('.plot').first();
    const value = (label: string) =>
      throughput.locator('.u-series', { hasText: label }).locator('.u-value').innerText();
    t.equal(await value('completed'), '100', 'of the newest point, where nobody points');
    const canvas = throughput.locator('.canvas');
    t.match(await canvas.getAttribute('aria-label'), /completed: last 100, highest 100/);
    const shown = await value('At');
    await canvas.focus();
    for (let i = 0; i < 3; i++) await page.keyboard.press('ArrowLeft');
    t.not(await value('At'), shown, 'keys move the crosshair');
    await canvas.hover({ position: { x: 200, y: 60 } });
    const pointed = await value('At');
    await canvas.hover({ position: { x: 280, y: 60 } });
    t.not(await value('At'), pointed, 'so does the pointer');

    const row = page.locator('section[aria-label="Functions"] tr', { hasText: 'gone' });
    t.match((await row.innerText()).split(/\s+/).slice(0, 4), ['gone', '2', '2', '0']);
    await row.locator('summary').click();
    await row.getByText('Waited').waitFor();
    t.match(await row.locator('.times').nth(1).innerText(), /Took\s+(to \d+ ms\s+\d\s*)+$/);
    await page.getByText('workers that are alive were started').waitFor();
    await page.locator('.segments a', { hasText: 'Day' }).click();
    await page.locator('h2', { hasText: 'Last day' }).waitFor();
    await go(hash);
    await row.locator('a').click();
    await page.getByText('2 found; searched 3 of 3 failed').waitFor();
    t.equal(await page.locator('table.jobs tbody tr').count(), 2);
    t.same(problems, []);
  },
);

scene('jobs: tabs, pages, filters in the address, straight to one', async (t, stage) => {
  const fns = [...Array<'boom'>(60).fill('boom'), ...Array<'gone'>(15).fill('gone')];
  await failed(stage, fns, 'the <b>disk</b> is full');
  const queue = stage.queue();
  const { id } = await queue
    .enqueue('add', [20, 22], { id: 'a/b?c=d&e#f "g"' })
    .catch(() => queue.enqueue('add', [20, 22], { id: 'a-b' }));
  const { port } = await site(stage);
  const { page, problems } = await view(stage, port, {
    hash: hashOf('jobs', { queue: stage.name }),
  });
  const rows = page.locator('table.jobs tbody tr');
  await page.getByText('1–50 of 75 failed').waitFor();
  t.equal(await rows.count(), 50);
  const first = await rows.first().getAttribute('data-job');
  await page.getByRole('link', { name: 'Next' }).click();
  await page.getByText('51–75 of 75 failed').waitFor();
  t.equal(await rows.count(), 25);
  await page.getByRole('link', { name: 'Previous' }).click();
  await page.getByText('1–50 of 75 failed').waitFor();
  t.equal(await rows.first().getAttribute('data-job'), first);

  await page.getByLabel('Function (its whole name)').fill('gone');
  await page.getByText('15 found; searched 75 of 75 failed').waitFor();
  t.match(page.url(), /fn=gone/);
  await page.getByLabel('Function (its whole name)').fill('');
  await page.getByLabel('Text in the error').fill('DISK');
  await page.getByText('50 (a page) found').waitFor();
  t.match(await rows.first().innerText(), 'TypeError: the <b>disk</b> is full');
  await page.getByRole('link', { name: 'Next' }).click();
  await page.getByText('10 found').waitFor();
  await page.getByLabel('Text in the error').fill('no such words');
  await page.getByText('No failed job matches.').waitFor();
  await page.goBack();
  await page.getByText('50 (a page) found').waitFor();
  t.equal(await page.getByLabel('Text in the error').inputValue(), 'DISK');

  await page.locator('.tabs a', { hasText: 'queued' }).click();
  await page.getByLabel('Text in the error').fill('');
  await page.locator(`tr[data-job]`, { hasText: id }).waitFor();
  await page.getByLabel('Job id').fill(id);
  await page.keyboard.press('Enter');
  await page.locator('h1', { hasText: id }).waitFor();
  await page.locator('section[aria-label="Arguments"] pre', { hasText: /20,\s+22/ }).waitFor();
  t.same(problems, []);
});

scene('actions on one job: asked first, told afterwards, done in Redis', async (t, stage) => {
  const [one, two] = await failed(stage, ['boom', 'gone']);
  const queue = stage.queue();
  const { port } = await site(stage);
  const { page, problems, go } = await view(stage, port, { hash: hashOf('jobs', { queue: stage.name }) });
  const row = (id: string) => page.locator(`tr[data-job="${id}"]`);
  const dialog = page.locator('dialog');
  const notices = page.locator('.notices');
  await row(one!).getByRole('button', { name: 'Retry' }).click();
  await notices.getByText(`Job ${one} is queued again`).waitFor();
  await row(one!).waitFor({ state: 'detached' });
  t.equal(await queue.job(one!).state(), 'queued');

  await row(two!).getByRole('button', { name: 'Remove' }).click();
  await dialog.getByText('Nothing will be known of it any more').waitFor();
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'hidden' });
  t.equal(await queue.job(two!).state(), 'failed', 'Escape leaves it');
  await row(two!).getByRole('button', { name: 'Remove' }).click();
  await dialog.getByRole('button', { name: 'Keep as it is' }).click();
  t.equal(await queue.job(two!).state(), 'failed');
  await row(two!).getByRole('button', { name: 'Remove' }).click();
  await dialog.getByRole('button', { name: 'Remove the job' }).click();
  await page.getByText('No failed jobs.').waitFor();
  await t.rejects(queue.job(two!).info(), { code: 'RESULT_NOT_FOUND' });

  await go(hashOf('job', { queue: stage.name, id: one! }));
  await page.getByRole('button', { name: 'Cancel', exact: true }).click();
  await dialog.getByRole('button', { name: 'Cancel the job' }).click();
  await page.locator('.bar .state', { hasText: 'cancelled' }).waitFor();
  t.equal(await queue.job(one!).state(), 'cancelled');
  await page.getByRole('button', { name: 'Retry' }).click();
  await page.locator('.bar .state', { hasText: 'queued' }).waitFor();
  // Meanwhile somebody else ends it: what is pressed then says so.
  await queue.remove(one!);
  await page.getByRole('button', { name: 'Cancel', exact: true }).click();
  await dialog.getByRole('button', { name: 'Cancel the job' }).click();
  await page.getByText('This job is removed or forgotten').waitFor();
  t.same(problems.filter((line) => !/status of 404/.test(line)), []);
}); // prettier-ignore

scene('actions on many: retry all that match, remove all of a state', async (t, stage) => {
  await failed(stage, ['boom', 'gone', 'boom', 'gone', 'gone']);
  const queue = stage.queue();
  const { port } = await site(stage);
  const hash = hashOf('jobs', { queue: stage.name, fn: 'gone' });
  const { page, problems, go } = await view(stage, port, { hash });
  const dialog = page.locator('dialog');
  await page.getByRole('button', { name: 'Retry all matching' }).click();
  await dialog.getByText('Those of the 5 failed jobs that match').waitFor();
  t.match(await dialog.innerText(), 'function gone');
  await dialog.getByRole('button', { name: 'Retry those that match' }).click();
  await page.getByText('3 jobs are queued again').waitFor();
  t.match(await queue.counts(), { queued: 3, failed: 2 });
  await go(hashOf('jobs', { queue: stage.name, state: 'queued' }));
  await page.getByRole('button', { name: 'Remove all 3 queued' }).click();
  await dialog.getByText('They will never run.').waitFor();
  await dialog.getByRole('button', { name: 'Remove 3' }).click();
  await page.getByText('3 queued jobs are removed').waitFor();
  t.match(await queue.counts(), { queued: 0, failed: 2 });
  t.same(problems, []);
});

scene('a job in detail: attempts, error with stack, result, progress, worker, meta', async (t, stage) => {
  const { pass, open } = gate();
  let told: (value: unknown) => void = () => {};
  const slow = async () => {
    const job = currentJob();
    told = (value) => job.progress(value);
    return pass('done');
  };
  const queue = stage.queue();
  const { port } = await site(stage);
  stage.worker({ ...jobs, slow });
  const flaky = await queue.enqueue('flaky', [], { meta: { traceparent: '00-ab-cd-01' } });
  await flaky.result();
  const { page, problems, go } = await view(stage, port, { hash: hashOf('job', { queue: stage.name, id: flaky.id }) });
  await page.locator('.bar .state', { hasText: 'completed' }).waitFor();
  t.match(await page.locator('section[aria-label="Result"] pre').innerText(), /"well, now": \[\s+1,/);
  const events = page.locator('.timeline > li');
  t.equal(await events.count(), 3, 'enqueued, failed, completed');
  t.match(await events.nth(1).innerText(), /Attempt 1 failed after .*\n*RangeError: the first time it fails/);
  await events.nth(1).locator('summary').click();
  t.match(await events.nth(1).locator('pre').innerText(), /\n +at /, 'the stack');
  t.match(await page.locator('.meta').innerText(), /traceparent\s+00-ab-cd-01/);

  const running = await queue.enqueue('slow');
  await until(async () => (await running.state()) === 'active');
  await go(hashOf('job', { queue: stage.name, id: running.id }));
  await page.getByText('Attempt 1 is running').waitFor();
  for (const [value, share] of [[0.25, '25 %'], [50, '50 %'], [{ done: 3, total: 4 }, '75 %']] as const) {
    told(value);
    await page.locator('section[aria-label="Progress"]', { hasText: share }).waitFor();
  }
  told('copying the third file');
  await page.locator('section[aria-label="Progress"] pre', { hasText: 'copying the third' }).waitFor();
  open();
  await page.locator('.bar .state', { hasText: 'completed' }).waitFor();

  const failing = await queue.enqueue('boom', ['<no> "luck"']);
  await go(hashOf('job', { queue: stage.name, id: failing.id }));
  t.match(await page.locator('section[aria-label="Log"] pre').innerText(), /warn {2}it will not do/);
  const error = page.locator('section[aria-label="Error"]');
  await error.getByText('TypeError', { exact: true }).waitFor();
  t.match(await error.innerText(), /<no> "luck"[\s\S]+\n +at /);
  t.same(problems, []);
}); // prettier-ignore

scene('a flow drawn: its steps are links, its own is marked, many are told by number', async (t, stage) => {
  const queue = stage.queue();
  const { port } = await site(stage);
  const flow = await queue.enqueue(
    chain(step('add', [1, 2]), group([step('boom'), chain(step('add', [3]), step('add', [4]))]), step('merge')),
  );
  const big = await queue.enqueue(chord(Array.from({ length: 200 }, () => step('add', [1, 2])), step('merge')));
  const { page, problems, go } = await view(stage, port, { hash: hashOf('job', { queue: stage.name, id: flow.id }) });
  const boxes = page.locator('.flow a.box');
  await boxes.first().waitFor();
  t.equal(await boxes.count(), 5);
  t.equal(await page.locator('.edges path').count(), 5);
  t.equal(await page.locator('.flow a.own').locator('text').allTextContents().then((texts) => texts.join(' ')), 'merge .4 waiting · this job');
  const x = async (n: number) => (await boxes.nth(n).boundingBox())!;
  t.ok((await x(0)).x < (await x(1)).x, 'a chain goes to the right');
  t.ok((await x(1)).y < (await x(2)).y, 'a group goes down');
  stage.worker(jobs);
  await page.locator('.flow a.own', { hasText: 'failed' }).waitFor();
  await page.locator('.bar .state', { hasText: 'failed' }).waitFor();
  t.equal(await page.getByRole('button', { name: 'Retry' }).count(), 0, 'it never had its turn');
  await page.getByRole('link', { name: /boom/ }).first().click();
  await page.locator('.bar .fn', { hasText: 'boom' }).waitFor();
  await go(hashOf('job', { queue: stage.name, id: big.id }));
  await page.locator('.flow .more', { hasText: '198 more: completed' }).waitFor();
  t.same(problems, []);
}); // prettier-ignore

scene('workers: slots, what runs, a blocked event loop', async (t, stage) => {
  const { pass, open } = gate();
  const hog = () => {
    const until = Date.now() + 700;
    while (Date.now() < until);
  };
  const queue = stage.queue();
  const { port } = await site(stage);
  stage.worker({ pass, hog }, { concurrency: 4, lease: '3s' }); // not to be lost while the loop is blocked
  const held = await queue.enqueue('pass', ['x']);
  await (await queue.enqueue('hog')).result();
  const { page, problems, go } = await view(stage, port, { hash: '#/workers' });
  const card = page.locator('article[data-worker]');
  await card.getByText('1 of 4').waitFor();
  await page.getByText('1, with 1 of 4 slots busy').waitFor();
  await card.locator('.running a', { hasText: 'pass' }).waitFor();
  await card.locator('.blocked a', { hasText: 'hog' }).waitFor();
  await go('#/overview');
  await page.locator('.banners').getByText('its event loop was blocked for').waitFor();
  await go('#/workers');
  await card.locator('.running a', { hasText: 'pass' }).click();
  await page.locator('h1', { hasText: held.id }).waitFor();
  await page.locator('dt', { hasText: 'Worker' }).waitFor();
  open();
  await page.locator('.bar .state', { hasText: 'completed' }).waitFor();

  await go('#/workers');
  await card.getByRole('spinbutton', { name: 'Slots' }).fill('9');
  await card.getByRole('button', { name: 'Set' }).click();
  await page.getByText('takes 9 jobs at once').waitFor();
  await card.getByText('0 of 9').waitFor();
  await card.getByRole('spinbutton', { name: 'Slots' }).fill('0');
  await card.getByRole('button', { name: 'Set' }).click();
  await page.getByText('Not done: concurrency: 0 is not usable').waitFor();
  await card.getByRole('button', { name: 'Stop' }).click();
  await page.getByRole('button', { name: 'Keep as it is' }).click();
  t.equal((await queue.workers()).length, 1);
  await card.getByRole('button', { name: 'Stop' }).click();
  await page.getByRole('button', { name: 'Stop the worker' }).click();
  await page.getByText('is stopping').waitFor();
  await page.getByText('No worker is alive').waitFor();
  t.equal(problems.length, 1);
  t.match(problems, [/status of 400/], 'of the number that is none');
});

scene('cron: next, last, run now, pause, resume', async (t, stage) => {
  const queue = stage.queue();
  const { port } = await site(stage);
  await queue.schedule('every-night', { cron: '0 2 * * *', timezone: 'Europe/Berlin', fn: 'add', args: [1, 2] });
  const { page, problems, go } = await view(stage, port, { hash: '#/cron' });
  const row = page.locator('tr[data-entry="every-night"]');
  await row.getByText('Europe/Berlin').waitFor();
  t.match(await row.innerText(), /0 2 \* \* \*[\s\S]*in \d+ (?:s|min|h) \d{4}-\d\d-\d\d \d\d:\d\d:\d\d[\s\S]*not yet/);
  await row.getByRole('button', { name: 'Run now' }).click();
  await page.getByText('every-night is queued as job').waitFor();
  t.equal((await queue.counts()).queued, 1);
  await row.getByRole('button', { name: 'Pause' }).click();
  await page.getByText('every-night is paused').waitFor();
  await row.getByText('paused', { exact: true }).waitFor();
  t.match(await queue.schedules(), [{ paused: true }]);
  await row.getByRole('button', { name: 'Resume' }).click();
  await row.getByText(/in \d+/).waitFor();
  t.match(await queue.schedules(), [{ paused: false }]);

  const later = await queue.enqueue('add', [3, 4], { delay: '1h' });
  await go(hashOf('job', { queue: stage.name, id: later.id }));
  await page.getByRole('button', { name: 'Run now' }).click();
  await page.getByText(`Job ${later.id} is queued`).waitFor();
  stage.worker(jobs);
  await until(async () => (await queue.counts()).completed === 2);
  t.same(problems, []);
}); // prettier-ignore

scene('read-only: everything shows, nothing can be pressed', async (t, stage) => {
  const [id] = await failed(stage, ['boom']);
  await stage.queue().schedule('tick', { every: '1h', fn: 'add', args: [1, 2] });
  const { port } = await site(stage, { readOnly: true });
  const { page, problems, go } = await view(stage, port);
  await page.locator('.badge', { hasText: 'read-only' }).waitFor();
  const places = { '#/overview': '.kinds tr', '#/jobs': 'table.jobs tr', '#/cron': 'table.cron tr', [hashOf('job', { queue: stage.name, id: id! })]: 'section[aria-label="Error"]' };
  for (const [hash, there] of Object.entries(places)) {
    await go(hash);
    await page.locator(there).first().waitFor();
    const buttons = await page.locator('main button:not(.sort, [type=submit])').allInnerTexts();
    t.same(buttons, [], hash);
  }
  t.same(problems, []);
}); // prettier-ignore
