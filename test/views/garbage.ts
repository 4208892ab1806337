/** A queue with everything in it, garbage for each part of what is stored, and every view of it. */
import {
  currentJob,
  group,
  chain,
  MinqError,
  step,
  type JobInfo,
  type Queue,
} from '../../src/index.ts';
import type { Redis } from 'ioredis';
import { seeded } from '../helpers/seeded.ts';
import { scene, type Stage } from '../helpers/setup.ts';
import { site, type Site } from '../helpers/site.ts';
import { until } from '../helpers/until.ts';

const deep = '['.repeat(3_000) + ']'.repeat(3_000);
const JSONS = [
  'null',
  '5',
  '"t"',
  '[]',
  '{}',
  'true',
  '[null]',
  '{"a":{"b":1}}',
  '[{"name":5}]',
  deep,
  '-1',
  '1e308',
];
const TEXTS = [
  '',
  'x',
  '{',
  '"',
  '{"a":',
  '1700000000000',
  '1700000000000x',
  '99999999999999{}',
  ...JSONS,
  ...JSONS.map((json) => `1700000000000${json}`),
];

/** The value itself spoilt, and each part of the JSON in it. */
function spoilt(value: string): string[] {
  const [, time, json] = /^(\d{13})?(.*)$/s.exec(value)!;
  const found = [...TEXTS];
  let parsed: unknown;
  try {
    parsed = JSON.parse(json!);
  } catch {
    return found;
  }
  const visit = (part: unknown, put: (instead: string) => string, level: number) => {
    if (typeof part !== 'object' || part === null || level > 3) return;
    for (const key of Object.keys(part)) {
      const here = (instead: string) =>
        put(JSON.stringify({ ...part, [key]: '\u0000' }).replace('"\\u0000"', () => instead));
      for (const each of JSONS) found.push(`${time ?? ''}${here(each)}`);
      visit((part as Record<string, unknown>)[key], here, level + 1);
    }
  };
  visit(parsed, (text) => text, 0);
  return found;
}

const jobs = {
  add: (a: number, b: number) => a + b,
  fails(text: string) {
    const cause = Object.assign(new Error('below'), { code: 'E1' });
    throw new AggregateError([new TypeError(text), cause], text, { cause });
  },
  async holds() {
    currentJob().progress({ done: 3 });
    await new Promise((resolve) => currentJob().signal.addEventListener('abort', resolve));
  },
};

export async function fill(stage: Stage): Promise<{ queue: Queue<any>; ids: string[] }> {
  const queue = stage.queue();
  const worker = stage.worker(jobs, { concurrency: 3 });
  const ids = ['done', 'failed', 'again', 'runs', 'later', 'gone'];
  await queue.schedule('tick', {
    fn: 'add',
    args: [1, 2],
    every: '1h',
    options: { meta: { a: 'b' } },
  });
  await (await queue.enqueue('add', [1, 2], { id: 'done', meta: { trace: 'x' } })).result();
  await (
    await queue.enqueue('fails', ['no'], { id: 'failed', retries: 1, backoff: 1 })
  )
    .result()
    .catch(() => {});
  await queue.enqueue('fails', ['no'], { id: 'again', retries: 3, backoff: '1h' });
  await queue.enqueue('holds', [], { id: 'runs', timeout: '1h' });
  await queue.enqueue('add', [1, 2], {
    id: 'later',
    delay: '1h',
    priority: 'high',
    meta: { a: 'b' },
  });
  await (await queue.enqueue('add', [], { id: 'gone', delay: '1h' })).cancel();
  const flow = await queue.enqueue(
    chain(step('holds'), group([step('add', [1, 2]), step('fails', ['x'])]), step('add', [1])),
  );
  await until(
    async () => {
      const { active, scheduled } = await queue.counts();
      return active === 2 && scheduled === 2 && (await queue.workers())[0]?.busy === 2;
    },
    { what: 'all is in its place' },
  );
  const { root } = (await flow.flow())!;
  const steps = JSON.stringify(root).match(/(?<="id":")[^"]+/g) ?? [];
  const { client } = stage.redis;
  const kept = new Map<string, Buffer>();
  for (const key of await client.keys('*')) kept.set(key, (await client.dumpBuffer(key))!);
  await worker.stop({ timeout: 200 });
  await client.flushall();
  for (const [key, dump] of kept) await client.restore(key, 0, dump as never);
  return { queue, ids: [...ids, ...steps] };
}

const time = (value: unknown) => value === undefined || Number.isFinite(value);
const text = (value: unknown) => value === undefined || typeof value === 'string';
const error = (value: any): boolean =>
  value === undefined ||
  (typeof value.name === 'string' &&
    typeof value.message === 'string' &&
    text(value.stack) &&
    (text(value.code) || Number.isFinite(value.code)) &&
    error(value.cause) &&
    (value.errors ?? []).every(error));
const CHECKS: { [name in keyof JobInfo]-?: (value: any) => boolean } = {
  id: (value) => typeof value === 'string',
  queue: (value) => typeof value === 'string',
  state: (value) =>
    ['waiting', 'scheduled', 'queued', 'active', 'completed', 'failed', 'cancelled'].includes(
      value as string,
    ),
  fn: text,
  args: Array.isArray,
  attempt: Number.isInteger,
  priority: (value) => ['high', 'normal', 'low'].includes(value as string),
  meta: (value) => Object.values(value as object).every((each) => typeof each === 'string'),
  enqueuedAt: time,
  tick: time,
  retries: time,
  log: text,
  dueAt: time,
  leaseEndsAt: time,
  startedAt: time,
  endedAt: time,
  ranMs: time,
  progress: () => true,
  result: () => true,
  error,
  reason: text,
  failedStep: text,
  flow: (value) =>
    value === undefined || (typeof value.id === 'string' && Number.isInteger(value.step)),
  attempts: (value) =>
    value === undefined ||
    value.every(
      (each: any) =>
        time(each.attempt) &&
        time(each.endedAt) &&
        time(each.startedAt) &&
        time(each.ranMs) &&
        error(each.error),
    ),
};

/** Names of what isn't of the type that is promised. */
const untyped = (info: JobInfo): string[] =>
  Object.entries(CHECKS).flatMap(([name, check]) =>
    check(info[name as keyof JobInfo]) ? [] : [name],
  );

/** Reads all there is. @returns what came out that is not one of minq's own errors */
export async function look(queue: Queue<any>, ids: string[], { get }: Site): Promise<string[]> {
  const wrong: string[] = [];
  const reading: Promise<unknown>[] = [];
  const read = (what: string, call: Promise<unknown>) =>
    reading.push(
      call.catch((error: unknown) => {
        if (!(error instanceof MinqError))
          wrong.push(`${what}: ${String((error as Error).stack).slice(0, 300)}`);
      }),
    );
  const typed = async (what: string, infos: Promise<JobInfo[]>) => {
    for (const info of await infos) {
      const bent = untyped(info);
      if (bent.length > 0)
        wrong.push(`${what} ${info.id}: ${bent.join()} ${JSON.stringify(info).slice(0, 500)}`);
    }
  };
  for (const state of [
    'waiting',
    'scheduled',
    'queued',
    'active',
    'completed',
    'failed',
    'cancelled',
  ] as const) {
    read(`jobs ${state}`, typed(state, queue.jobs(state)));
    read(`find ${state}`, queue.find(state, { fn: 'add' }));
    read(`find error ${state}`, queue.find(state, { error: 'e' }));
  }
  for (const id of ids) {
    read(
      `info ${id}`,
      typed(
        'info',
        queue
          .job(id)
          .info()
          .then((info) => [info]),
      ),
    );
    read(`state ${id}`, queue.job(id).state());
    read(`flow ${id}`, queue.job(id).flow());
    if (/done|failed|gone/.test(id)) read(`result ${id}`, queue.job(id).result({ timeout: 200 }));
  }
  read('counts', queue.counts());
  read('workers', queue.workers());
  read('findings', queue.findings());
  read('schedules', queue.schedules());
  read('stats', queue.stats());
  read('history', queue.history('hour'));
  read('history', queue.history('day'));
  read('functions', queue.functions('lately'));
  read('functions', queue.functions('ever'));
  read('oldest', queue.oldestWaitingMs());
  const of = `queue=${queue.name}`;
  for (const path of [
    'queues',
    `queue?${of}`,
    `queue?${of}&span=day`,
    'workers',
    'findings',
    'cron',
    ...['waiting', 'scheduled', 'active', 'completed', 'failed', 'cancelled'].map(
      (state) => `jobs?${of}&state=${state}`,
    ),
    ...ids.map((id) => `job?${of}&id=${encodeURIComponent(id)}`),
  ]) {
    read(
      path,
      get(`api/${path}`).then(({ status, text }) => {
        if (status >= 500 && status !== 503) wrong.push(`${path}: ${status} ${text}`);
      }),
    );
  }
  read(
    'metrics',
    get('metrics').then(({ status, text }) => {
      if (status >= 500 && status !== 503) wrong.push(`metrics: ${status} ${text}`);
    }),
  );
  await Promise.all(reading);
  return wrong;
}

/** @param cases of each key, picked by the seed; all that there are, if they are fewer */
export function garbageIn(cases: number): void {
  scene(
    `garbage in each stored value, seen by each view: ${cases} of each key at most`,
    async (t, stage) => {
      const seed = Number(process.env['SEED'] ?? Date.now() % 1e9);
      t.comment(`SEED=${seed}`);
      const random = seeded(seed);
      const { queue, ids } = await fill(stage);
      const page = await site(stage);
      const { client } = stage.redis;
      const { keys } = stage.store();
      t.same(await look(queue, ids, page), [], 'before');
      let looked = 0;
      for (const [name, key] of Object.entries(keys)) {
        if (typeof key !== 'string' || (await client.type(key)) === 'none') continue;
        const values = await valuesOf(client, key);
        const dump = (await client.dumpBuffer(key))!;
        const kinds = values.map((value) => spoilt(value));
        const all = Array.from(
          { length: Math.max(...kinds.map((each) => each.length)) },
          (_, i) => i,
        );
        while (all.length > cases) all.splice(random(all.length), 1);
        for (const i of all) {
          await spoil(client, key, (_, at) => kinds[at]![i % kinds[at]!.length]!);
          const wrong = await look(queue, ids, page);
          if (wrong.length > 0)
            t.same(
              wrong,
              [],
              `${name}: ${kinds.map((each) => each[i % each.length]!.slice(0, 300)).join('\n')}`,
            );
          await client.restore(key, 0, dump as never, 'REPLACE');
          await alive(client, keys.workers);
          looked++;
        }
      }
      t.ok(looked > 15 * Math.min(cases, 20), `${looked} cases`);
    },
  );
}

/** What the scripts and views read as values; of a sorted set, its members. */
async function valuesOf(client: Redis, key: string): Promise<string[]> {
  const type = await client.type(key);
  if (type === 'hash') return Object.values(await client.hgetall(key));
  if (type === 'list') return client.lrange(key, 0, -1);
  if (type === 'zset') return client.zrange(key, '0', '-1');
  if (type === 'set') return client.smembers(key);
  return [(await client.get(key))!];
}

async function spoil(
  client: Redis,
  key: string,
  instead: (value: string, at: number) => string,
): Promise<void> {
  const type = await client.type(key);
  const fields = type === 'hash' ? await client.hkeys(key) : [];
  const values = (await valuesOf(client, key)).map(instead);
  await client.del(key);
  for (const [i, value] of values.entries()) {
    if (type === 'hash') await client.hset(key, fields[i]!, value);
    else if (type === 'list') await client.rpush(key, value);
    else if (type === 'zset') await client.zadd(key, '5', value);
    else if (type === 'set') await client.sadd(key, value);
    else await client.set(key, value);
  }
}

/** As if each worker had just given a sign of life. */
async function alive(client: Redis, key: string): Promise<void> {
  for (const [who, value] of Object.entries(await client.hgetall(key)))
    await client.hset(key, who, `${Date.now()}${value.slice(13)}`);
}
