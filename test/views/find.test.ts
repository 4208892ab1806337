/** Looking for jobs by function and by error, page by page, and running all that were found again. */
import { currentJob, type JobFilter, type JobInfo, type Queue } from '../../src/index.ts';
import { findJobs } from '../../src/views/inspector.ts';
import type { JobState } from '../../src/job/job.ts';
import { scene, type Stage } from '../helpers/setup.ts';
import { claim, settlement, ticketsOf } from '../helpers/turns.ts';
import { until } from '../helpers/until.ts';

/** Failed jobs with these functions and errors, in this order. */
async function failAll(stage: Stage, list: { id: string; fn?: string; error?: object }[]) {
  const store = stage.store('w');
  for (let i = 0; i < list.length; i += 1_000) {
    const part = list.slice(i, i + 1_000);
    await store.enqueue(
      part.map(({ id, fn = 'f' }) => ({ id, how: '', json: `{"fn":"${fn}","args":[]}` })),
    );
    const tickets = ticketsOf(await claim(store, i + 1, part.length));
    const settled = tickets.map((ticket, n) => {
      const error = { name: 'Error', message: 'no luck', ...part[n]!.error };
      return settlement(ticket, { kind: 'failed', error }, { keptMs: 60_000 + i + n });
    });
    await claim(store, i + 2, 0, ...settled);
  }
}

/** All pages; how many calls it took. */
async function all(queue: Queue, state: JobState, wanted: JobFilter, limit: number) {
  const jobs: JobInfo[] = [];
  let calls = 0;
  for (let offset: number | undefined = 0; offset !== undefined; calls++) {
    const found: { jobs: JobInfo[]; next?: number } = await queue.find(state, {
      ...wanted,
      offset,
      limit,
    });
    if (found.jobs.length > limit) throw new Error('more than asked for');
    jobs.push(...found.jobs);
    if (found.next !== undefined && found.next <= offset) throw new Error('it does not go on');
    offset = found.next;
  }
  return { ids: jobs.map(({ id }) => id), jobs, calls };
}

const messages = [
  'connect ECONNREFUSED 127.0.0.1:6379',
  'line one\nline "two"\ttab \\ backslash',
  'Übergröße: 10 €, \u{1f600}',
  '100% [a-z]+ (.*) %d',
  'attempt name state stack',
];

scene('by error: name, message and stack, in whatever case', async (t, stage) => {
  const queue = stage.queue();
  const list = messages.map((message, i) => ({ id: `m${i}`, error: { message } }));
  await failAll(stage, [
    ...list,
    { id: 'typed', error: { name: 'TypeError', message: 'x' } },
    { id: 'traced', error: { message: 'y', stack: 'Error: y\n    at deep (/app/Mailer.ts:3:7)' } },
  ]);
  const find = async (error: string) => (await all(queue, 'failed', { error }, 100)).ids;
  t.same(await find('ECONNREFUSED'), ['m0']);
  t.same(await find('econnRefused 127'), ['m0']);
  t.same(await find('one\nLine "two"\tTAB \\ b'), ['m1']);
  t.same(await find('"two"'), ['m1']);
  t.same(await find('\\n'), [], 'a line break is no backslash');
  t.same(await find('Übergröße: 10 €, \u{1f600}'), ['m2']);
  t.same(await find('größe'), ['m2']);
  t.same(await find('% [a-z]+ (.*) %D'), ['m3'], 'no pattern');
  t.same(await find('typeerror'), ['typed']);
  t.same(await find('mailer.ts:3'), ['traced']);
  // What is written around an error is none of it.
  for (const word of ['"name"', '"message":', 'startedAt', 'ranMs', 'endedAt', '"state":"failed"', '"}']) t.same(await find(word), [], word); // prettier-ignore
  t.same(await find('attempt'), ['m4']);
  t.equal((await all(queue, 'failed', {}, 100)).ids.length, 7, 'no filter');
  t.same(await find('nothing of the kind'), []);
});

scene('by function, together with the error, in every state', async (t, stage) => {
  const queue = stage.queue();
  await failAll(stage, [
    { id: 'a1', fn: 'send', error: { message: 'timeout' } },
    { id: 'a2', fn: 'sendMail', error: { message: 'timeout' } },
    { id: 'a3', fn: 'send', error: { message: 'refused' } },
  ]);
  const find = async (state: JobState, wanted: JobFilter) =>
    (await all(queue, state, wanted, 100)).ids.toSorted();
  t.same(await find('failed', { fn: 'send' }), ['a1', 'a3']);
  t.same(await find('failed', { fn: 'send', error: 'TIMEOUT' }), ['a1']);
  t.same(await find('failed', { fn: 'sen' }), [], 'the whole name');
  t.same(await find('failed', { fn: 'nobody' }), []);

  await queue.enqueue('send', [], { id: 'q1' });
  await queue.enqueue('other', [], { id: 'q2', priority: 'high' });
  await queue.enqueue('send', [], { id: 's1', delay: '1h' });
  await (await queue.enqueue('send', [], { id: 'c1', delay: '2h' })).cancel();
  t.same(await find('queued', { fn: 'send' }), ['q1']);
  t.same(await find('scheduled', { fn: 'send' }), ['s1']);
  t.same(await find('cancelled', { fn: 'send' }), ['c1']);
  t.same(await find('completed', { fn: 'send' }), []);
  const store = stage.store('w2');
  const tickets = ticketsOf(await claim(store, 1, 2));
  t.same(await find('active', { fn: 'other' }), ['q2']);
  const error = { name: 'Error', message: 'try again' };
  await claim(store, 2, 0,
    settlement(tickets[0]!, { kind: 'retry', error, delayMs: 60_000 }),
    settlement(tickets[1]!, { kind: 'completed', result: '{"error":"timeout"}' }),
  ); // prettier-ignore
  t.same(await find('scheduled', { error: 'try again' }), ['q2'], 'one that waits for a retry');
  t.same(await find('completed', { error: 'timeout' }), [], 'a result is no error');
});

scene('pages give each job once, whatever their size and the lane', async (t, stage) => {
  const queue = stage.queue();
  const count = 250;
  const items = Array.from({ length: count }, (_, i) => ({
    fn: i % 5 === 0 ? 'rare' : 'often',
    id: `j${i}`,
    priority: (['high', 'normal', 'low'] as const)[i % 3]!,
  }));
  await queue.enqueueMany(items);
  const dead = new Set(items.filter((_, i) => i % 7 === 0).map(({ id }) => id));
  for (const id of dead) await queue.job(id).cancel();
  const alive = items.filter(({ id }) => !dead.has(id));
  const wanted = alive.filter(({ fn }) => fn === 'rare').map(({ id }) => id);
  for (const limit of [1, 7, 50, 1_000]) {
    const rare = await all(queue, 'queued', { fn: 'rare' }, limit);
    t.same(rare.ids.toSorted(), wanted.toSorted(), `rare ones by ${limit}`); // prettier-ignore
    const every = await all(queue, 'queued', {}, limit);
    t.same(every.ids.toSorted(), alive.map(({ id }) => id).toSorted(), `all by ${limit}`); // prettier-ignore
    const cancelled = await all(queue, 'cancelled', { fn: 'rare' }, limit);
    t.equal(cancelled.ids.length, new Set(cancelled.ids).size);
    t.equal(cancelled.ids.length, [...dead].filter((id) => Number(id.slice(1)) % 5 === 0).length);
  }
});

scene('a page looks through 5,000 jobs at most, and says where to go on', async (t, stage) => {
  const queue = stage.queue();
  const ids = Array.from({ length: 6_500 }, (_, i) => `j${i}`);
  // The newest comes first: the one that is looked for comes last but one.
  await failAll(stage, ids.map((id, i) => ({ id, fn: i === 1 ? 'needle' : 'hay' }))); // prettier-ignore
  const first = await queue.find('failed', { fn: 'needle' });
  t.same(first, { jobs: [], next: 5_000 });
  const second = await queue.find('failed', { fn: 'needle', offset: first.next! });
  t.same(second.jobs.map(({ id }) => id), ['j1']); // prettier-ignore
  t.equal(second.next, undefined);
  const found = await all(queue, 'failed', { fn: 'hay' }, 1_000);
  t.equal(new Set(found.ids).size, 6_499);
});

scene('a call reads so many bytes at most, and the page goes on after them', async (t, stage) => {
  const queue = stage.queue();
  const store = stage.store();
  const big = 'x'.repeat(200_000);
  const ids = Array.from({ length: 12 }, (_, i) => `b${i}`);
  await store.enqueue(
    ids.map((id, i) => ({
      id,
      how: '',
      json: `{"fn":"${i % 2 ? 'odd' : 'even'}","args":["${big}"]}`,
    })),
  );
  const { seen } = await store.list('queued', 0, 100, { fn: 'odd', most: 1_000 });
  t.ok(seen < 5, `${seen} of 12 in one call`);
  t.same((await all(queue, 'queued', { fn: 'odd' }, 100)).ids, ids.filter((_, i) => i % 2)); // prettier-ignore
});

scene('wrong questions are refused by name', async (t, stage) => {
  const queue = stage.queue();
  const find = (state: unknown, wanted: object) => queue.find(state as JobState, wanted);
  await t.rejects(find('nowhere', {}), { message: /state: "nowhere"/ });
  await t.rejects(find('failed', { fn: 5 }), { message: /fn/ });
  await t.rejects(find('failed', { error: {} }), { message: /error/ });
  await t.rejects(find('failed', { error: '' }), { message: /error: ""/ }, 'it would be all');
  await t.rejects(find('failed', { limit: 1_001 }), { message: /limit/ });
  await t.rejects(find('failed', { offset: -1 }), { message: /offset/ });
  await t.rejects(find('failed', { function: 'f' }), { message: /function/ });
  await t.rejects(queue.retryAll({ limit: 5 } as JobFilter), { message: /limit/ });
});

scene('retryAll runs all again, or those that are wanted', async (t, stage) => {
  const queue = stage.queue();
  const list = Array.from({ length: 350 }, (_, i) => ({
    id: `j${i}`,
    fn: i % 10 === 0 ? 'rare' : 'often',
    error: { message: i % 2 ? 'odd' : 'even' },
  }));
  await failAll(stage, list);
  t.equal(await queue.retryAll({ fn: 'nobody' }), 0);
  t.equal(await queue.retryAll({ fn: 'rare', error: 'odd' }), 0);
  t.equal(await queue.retryAll({ fn: 'rare' }), 35);
  t.match(await queue.counts(), { failed: 315, queued: 35 });
  const found = await all(queue, 'queued', {}, 1_000);
  t.ok(found.jobs.every(({ fn }) => fn === 'rare'));
  t.equal(await queue.retryAll({ error: 'ODD' }), 175);
  t.equal(await queue.retryAll(), 140);
  t.match(await queue.counts(), { failed: 0, queued: 350 });
  t.equal(await queue.retryAll(), 0);
});

scene('those that fail meanwhile are not run again', async (t, stage) => {
  const queue = stage.queue();
  const ids = Array.from({ length: 1_500 }, (_, i) => `j${i}`);
  await failAll(stage, ids.map((id) => ({ id }))); // prettier-ignore
  const runs = new Map<string, number>();
  stage.worker(
    {
      f: async () => {
        const { currentJob } = await import('../../src/index.ts');
        const { id } = currentJob();
        runs.set(id, (runs.get(id) ?? 0) + 1);
        throw new Error('again');
      },
    },
    { concurrency: 100 },
  );
  // Without retries of its own, each fails at once, while others are still being put back.
  const record = '{"fn":"f","args":[],"retries":0}';
  const { jobs } = stage.store().keys;
  const now = await queue.now();
  await stage.redis.client.hset(jobs, ...ids.flatMap((id) => [id, `${now}${record}`]));
  t.equal(await queue.retryAll(), 1_500);
  await until(async () => (await queue.counts()).failed === 1_500);
  t.equal(runs.size, 1_500);
  t.ok([...runs.values()].every((count) => count === 1));
});

scene('jobs that are large come whole, in more calls, and none keeps Redis busy', async (t, stage) => {
  const queue = stage.queue();
  const large = 'x'.repeat(1_000_000);
  stage.worker({ echo: (text: string) => text, small: () => 1 });
  for (let i = 0; i < 30; i++) await (await queue.enqueue('echo', [large + i], { id: `large-${i}` })).result();
  const found = await queue.jobs('completed', { limit: 30 });
  t.same(found.map(({ id }) => id), Array.from({ length: 30 }, (_, i) => `large-${29 - i}`));
  t.ok(found.every(({ args, result }) => args[0] === result && (result as string).length > 1_000_000));
  const { jobs } = await findJobs(stage.store(), 'completed', { limit: 50 }, 2_000);
  t.equal(jobs.length, 30);
  t.match(jobs[0], { id: 'large-29', fn: 'echo', args: [/^\d{7} bytes: more than a list shows$/], result: /^\d{7} bytes/, attempt: 1, ranMs: Number, startedAt: Number });
  t.ok(JSON.stringify(jobs).length < 20_000);
  const usec = async () => Number(/cmdstat_evalsha:calls=\d+,usec=(\d+)/.exec(await stage.redis.client.info('commandstats'))![1]);
  const [before, from] = [await usec(), performance.now()];
  for (let i = 0; i < 5; i++) await findJobs(stage.store(), 'completed', { limit: 50 }, 2_000);
  const share = (await usec() - before) / 1_000 / (performance.now() - from);
  t.ok(share < 0.55, `Redis has ${Math.round((1 - share) * 100)} % of the time for others`);
  const { seen } = await stage.store().list('completed', 0, 30);
  t.equal(seen, 1, 'a call ends after a megabyte');
}); // prettier-ignore

scene('a value that is long for a list hides no fact beside it', async (t, stage) => {
  const queue = stage.queue();
  const long = 'y'.repeat(5_000);
  stage.worker({ fails: (text: string) => { currentJob().progress(text); throw Object.assign(new Error(text), { stack: undefined }); } });
  const job = await queue.enqueue('fails', [long], { retries: 0, priority: 'high' });
  await job.result().catch(() => {});
  const { jobs: [failed] } = await findJobs(stage.store(), 'failed', {}, 2_000);
  t.match(failed, { id: job.id, fn: 'fails', state: 'failed', attempt: 1, error: { message: long }, progress: /^\d+ bytes/ }, 'an error comes whole');
  t.match(await findJobs(stage.store(), 'failed', { error: 'YYY' }, 2_000), { jobs: [{ id: job.id, error: { message: long } }] }, 'and is found');
  const { outcomes } = stage.store().keys;
  const outcome = await stage.redis.client.hget(outcomes, job.id);
  await stage.redis.client.hset(outcomes, job.id, outcome!.replace(long, 'y'.repeat(200_000)));
  t.match((await findJobs(stage.store(), 'failed', {}, 2_000)).jobs, [{ id: job.id, fn: 'fails', state: 'failed', attempt: 1, error: { message: /^\d+ bytes: more than a list shows/ } }], 'unless another than minq wrote it');
  await queue.enqueue('fails', [long, 'waits'], { id: 'w', delay: '1h' });
  t.match((await findJobs(stage.store(), 'scheduled', {}, 2_000)).jobs, [{ id: 'w', fn: 'fails', state: 'scheduled', args: [/bytes/] }]);
}); // prettier-ignore
