/** Jobs that can't be run as they are: an unknown function, a record that is missing or broken, a broken key. */
import { gate } from '../helpers/gate.ts';
import { scene, type Stage } from '../helpers/setup.ts';
import { stateOf } from '../helpers/state.ts';
import { jobs } from '../helpers/turns.ts';
import { until } from '../helpers/until.ts';

const add = (a: number, b: number) => a + b;

/** Sets the clock forward for a job that is postponed: `since` that long ago, due now. */
async function age(stage: Stage, id: string, ms: number): Promise<void> {
  const { keys } = stage.store();
  const { client } = stage.redis;
  const error = JSON.parse((await client.hget(keys.errors, id))!) as { since: number };
  await client.hset(keys.errors, id, JSON.stringify({ ...error, since: Date.now() - ms }));
  for (const ticket of await client.zrangebyscore(keys.scheduled, '-inf', '+inf')) {
    await client.zadd(keys.scheduled, '1', ticket);
  }
  const wakeOne = `if redis.call('EXISTS', KEYS[1]) == 0 then redis.call('LPUSH', KEYS[1], '1') end`;
  await client.eval(wakeOne, 1, keys.wake);
}

scene(
  'a job nobody knows waits, longer each time, uncharged, and fails after five minutes',
  async (t, stage) => {
    const worker = stage.worker({ add });
    const queue = stage.queue();
    const handle = await queue.enqueue('subtract', [1, 2]);
    const runs = async () => (await queue.stats()).retried;
    const waits: number[] = [];
    let postponed = 0;
    for (const waited of [undefined, 10_000, 40_000, 100_000, 299_000]) {
      if (waited !== undefined) await age(stage, handle.id, waited);
      postponed++;
      await until(async () => (await runs()) === postponed);
      const info = await handle.info();
      t.match(info, { state: 'scheduled', attempt: 1, error: { name: 'UnknownFunctionError' } });
      waits.push(Math.round((info.dueAt! - Date.now()) / 1_000));
    }
    t.ok(
      waits.every((s, i) => Math.abs(s - [1, 10, 40, 60, 60][i]!) <= 2),
      `seconds: ${waits.join()}`,
    );
    t.equal(await (await queue.enqueue('add', [1, 2])).result({ timeout: '10s' }), 3);
    await age(stage, handle.id, 301_000);
    await t.rejects(handle.result({ timeout: '10s' }), {
      cause: { name: 'UnknownFunctionError', message: /"subtract"/ },
    });
    t.match(await handle.info(), { state: 'failed', attempt: 1 });
    await worker.stop();
  },
);

scene('among workers that do not know the function, it finds the one that does, at once', async (t, stage) => {
  const queue = stage.queue();
  const began = performance.now();
  const waits: number[] = [];
  const mailA = () => void waits.push(performance.now() - began);
  const mailB = () => new Promise((resolve) => setTimeout(resolve, 5));
  for (let i = 0; i < 4; i++) stage.worker({ mailB }, { concurrency: 5 });
  stage.worker({ mailA }, { concurrency: 5 });
  await until(async () => (await queue.workers()).length === 5);
  // More than a worker takes down at a time.
  const both = Array.from({ length: 1_500 }, () => [{ fn: 'mailA' }, { fn: 'mailB' }]).flat();
  await queue.enqueueMany(both);
  await until(async () => (await queue.counts()).completed === both.length, { timeoutMs: 20_000 });
  t.comment(`the last one began after ${Math.max(...waits).toFixed()} ms`);
  t.ok(Math.max(...waits) < 10_000, 'of 200 the last one began after 45 s, and some failed');
  const [found] = (await queue.findings()).filter(({ check }) => check === 'two-apps');
  t.match(found, { warning: true, message: /two apps share it: .* alone knows mail[AB], .* alone knows mail[AB]/ });
}); // prettier-ignore

scene('what no worker knows is found by check; a worker that starts takes it at once', async (t, stage) => {
  const queue = stage.queue();
  stage.worker({ add });
  const handles = await Promise.all([1, 2].map((n) => queue.enqueue('subtract', [n, 1])));
  await until(async () => (await queue.counts()).scheduled === 2);
  const found = (await queue.findings()).filter(({ ok }) => !ok);
  t.match(found, [{ check: 'unknown-function', message: /no worker knows subtract; 2 jobs wait/ }]);
  for (const { id } of handles) {
    const { scheduled } = stage.store().keys;
    const [ticket] = (await stage.redis.client.zrange(scheduled, '0', '-1')).filter((each) => each.startsWith(id));
    await stage.redis.client.zadd(scheduled, 'XX', Date.now() + 50_000, ticket!); // it has waited for long
  }
  stage.worker({ subtract: (a: number, b: number) => a - b });
  for (const [i, handle] of handles.entries()) {
    t.equal(await handle.result({ timeout: '10s' }), i);
    t.match(await handle.info(), { attempt: 1 });
  }
  t.same((await queue.findings()).filter(({ ok }) => !ok), []);
}); // prettier-ignore

scene('while a worker that is alive knows it, a job does not fail for its function', async (t, stage) => {
  const queue = stage.queue();
  stage.worker({ add });
  const busy = gate();
  stage.worker({ subtract: () => busy.pass() }, { concurrency: 1 });
  await queue.enqueue('subtract');
  await until(() => busy.running === 1);
  const handle = await queue.enqueue('subtract');
  const stranger = async () => (await handle.info()).error?.name === 'UnknownFunctionError';
  await until(stranger);
  for (let i = 0; i < 2; i++) {
    const before = (await queue.stats()).retried;
    await age(stage, handle.id, 301_000);
    await until(async () => (await queue.stats()).retried > before);
  }
  t.equal(await handle.state(), 'scheduled');
  busy.open();
  await handle.result({ timeout: '10s' });
  t.match(await handle.info(), { attempt: 1, state: 'completed' });
}); // prettier-ignore

scene('a worker that knows the function takes over, with all attempts left', async (t, stage) => {
  const old = stage.worker({ add });
  const queue = stage.queue();
  const handle = await queue.enqueue('subtract', [5, 2]);
  await until(async () => (await handle.state()) === 'scheduled');
  await old.stop();
  stage.worker({ subtract: (a: number, b: number) => a - b });
  await age(stage, handle.id, 2_000);
  t.equal(await handle.result({ timeout: '10s' }), 3);
  t.match(await handle.info(), { attempt: 1, state: 'completed' });
});

scene('names that every object has are unknown functions at the worker, too', async (t, stage) => {
  const names = ['constructor', '__proto__', 'then', 'toString', 'hasOwnProperty', 'default', ''];
  const called: string[] = [];
  const poison = Object.fromEntries(names.map((name) => [name, () => called.push(name)]));
  stage.worker({ ...poison, add });
  const store = stage.store();
  await store.enqueue(
    names.map((fn, i) => ({ id: `bad${i}`, how: '', json: JSON.stringify({ fn, args: [] }) })),
  );
  const queue = stage.queue();
  await until(async () => (await queue.counts()).scheduled === names.length);
  for (const info of await queue.jobs('scheduled')) {
    t.match(info.error, { name: 'UnknownFunctionError' }, `${String(info.fn)} is unknown`);
  }
  t.same(called, []);
  t.equal(await (await queue.enqueue('add', [1, 2])).result({ timeout: '10s' }), 3);
});

const BROKEN: Record<string, string | undefined> = {
  'is missing': undefined,
  'is empty': '',
  'is no JSON': '1700000000000{"fn":"add"',
  'is null': '1700000000000null',
  'is a list': '1700000000000[1,2]',
  'has no function': '1700000000000{"args":[]}',
  'has a number as function': '1700000000000{"fn":5,"args":[]}',
  'has no arguments': '1700000000000{"fn":"add"}',
  'has an object as arguments': '1700000000000{"fn":"add","args":{"length":2}}',
  'has no time': '{"fn":"add","args":[1,2]}',
};

for (const [what, text] of Object.entries(BROKEN)) {
  scene(`a job whose record ${what} fails, visibly; the others go on`, async (t, stage) => {
    const store = stage.store();
    const { client } = stage.redis;
    const queue = stage.queue();
    const before = await queue.enqueue('add', [1, 2]);
    await store.enqueue(jobs('', 'bad'));
    const after = await queue.enqueue('add', [3, 4]);
    if (text === undefined) {
      stage.allow(/bad.*no record/);
      await client.hdel(store.keys.jobs, 'bad');
    } else await client.hset(store.keys.jobs, 'bad', text);
    stage.worker({ add });
    t.equal(await before.result({ timeout: '10s' }), 3);
    t.equal(await after.result({ timeout: '10s' }), 7);
    await until(async () => (await queue.counts()).failed === 1);
    t.match(await queue.job('bad').info(), { state: 'failed', error: { name: 'BadRecordError' } });
    t.ok(
      stage.log.some((line) => /^error job failed.*"id":"bad"/.test(line)),
      'it is in the log',
    );
    t.equal((await queue.jobs('failed')).length, 1);
    t.match(await queue.counts(), { completed: 2, failed: 1, active: 0 });
  });
}

const ODD: Record<string, unknown[]> = {
  retries: ['many', -1, null],
  timeout: [{}, '5m'],
  resultTtl: ['1h', null, [], 1e300],
  backoff: [7, 'x', { type: 'fixed' }, { type: 'fixed', delay: 'x', max: 1, jitter: 0 }],
  delay: [true],
  expires: ['soon'],
  tick: ['now'],
  meta: ['x', { a: 1 }],
};

scene('options that no enqueue writes end their jobs by name, and stop nobody', async (t, stage) => {
  const all = Object.entries(ODD).flatMap(([name, values]) => values.map((value, i) => ({ name, id: `${name}-${i}`, value })));
  await stage.store().enqueue(all.map(({ name, id, value }) => ({ id, how: '', json: JSON.stringify({ fn: 'add', args: [1, 2], [name]: value }) })));
  stage.worker({ add });
  const queue = stage.queue();
  await until(async () => (await queue.counts()).failed === all.length);
  for (const { name, id } of all) {
    t.match(await queue.job(id).info(), { state: 'failed', error: { name: 'BadRecordError', message: new RegExp(`has ${name}: `) } });
  }
  t.equal(await (await queue.enqueue('add', [1, 2])).result({ timeout: '10s' }), 3);
}); // prettier-ignore

for (const name of ['queued', 'scheduled', 'active'] as const) {
  scene(
    `a key of a wrong type (${name}) is reported without spinning, and work goes on when it is gone`,
    async (t, stage) => {
      const { keys } = stage.store();
      const { client } = stage.redis;
      const queue = stage.queue();
      stage.worker({ add }, { lease: 500 });
      t.equal(await (await queue.enqueue('add', [1, 2])).result({ timeout: '10s' }), 3);
      await client.set(keys[name], 'garbage');
      await client.lpush(keys.wake, '1');
      await until(() => stage.log.some((line) => /^error .*WRONGTYPE/.test(line)));
      const calls = async () =>
        Number(/cmdstat_evalsha:calls=(\d+)/.exec(await client.info('commandstats'))![1]);
      const before = await calls();
      await new Promise((resolve) => setTimeout(resolve, 1_000)); // a window to count in
      const sent = (await calls()) - before;
      t.ok(sent <= 40, `${sent} calls in a second`);
      await client.del(keys[name]);
      t.equal(await (await queue.enqueue('add', [3, 4])).result({ timeout: '20s' }), 7);
      t.match(await stateOf(client, stage.name), { completed: Object });
    },
  );
}
