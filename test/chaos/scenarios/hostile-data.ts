/** Garbage is written into each key of a queue: good jobs go on, bad ones end, and people can look at it all. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dashboard } from '../../../src/dashboard/index.ts';
import { MinqError } from '../../../src/job/errors.ts';
import { STATES } from '../../../src/job/job.ts';
import { queueKeys, queuesKey, type KeyName } from '../../../src/store/keys.ts';
import type { Queue } from '../../../src/queue/queue.ts';
import { minq } from '../../helpers/cli.ts';
import { siteAt, stop } from '../../helpers/site.ts';
import { until } from '../../helpers/until.ts';
import { KEY_NAMES, pollute, TEXTS } from '../corpus.ts';
import type { Scenario } from '../scenario.ts';
import { onStand, sleep, type Stand } from '../stand.ts';

const GOOD = 150;
const JOB_MS = 20;
const SLOTS = 10;
/** Of what is done in the same time without garbage, by a worker beside it. A busy machine has a few tries to show it. */
const THROUGHPUT = 0.9;
const TRIES = 4;
/** Keys that are tried beside each other. */
const BESIDE = 5;
/** Commands an idle worker may send in a while, whatever it finds. */
const BUSY = 40;
const WATCHED_MS = 1_500;

/** Whoever writes this has paused the queue: no garbage, but an order. */
const ORDER: KeyName = 'paused';
/** Where bad tickets lie, that are taken out and end. */
const TICKETS: readonly KeyName[] = ['high', 'queued', 'low'];

export default {
  name: 'hostile-data',
  what: 'garbage of every kind in each key of the queue: bad jobs end, good ones go on, views answer',
  libraries: ['minq'],
  run: ({ say }) =>
    onStand(async (stand) => {
      const accepted: string[] = [];
      const shares: number[] = [];
      let lost = 0;
      const names = KEY_NAMES.filter((name) => name !== ORDER);
      for (let at = 0; at < names.length; at += BESIDE) {
        const tried = names.slice(at, at + BESIDE).map(async (name) => {
          const tries = [await suffer(stand, name, 1)];
          while (tries.at(-1)!.share < THROUGHPUT && tries.length < TRIES) {
            tries.push(await suffer(stand, name, tries.length + 1));
          }
          const best = Math.max(...tries.map(({ share }) => share));
          stand.ensure(best >= THROUGHPUT, `garbage in ${name}: ${Math.round(best * 100)} % of the throughput`); // prettier-ignore
          shares.push(best);
          accepted.push(...tries.flatMap(({ ids }) => ids));
          lost += tries.reduce((sum, each) => sum + each.lost, 0);
        });
        await Promise.all(tried);
      }
      stand.ensure(!('polluted' in {}), 'a prototype was polluted');
      say(`${names.length} keys, ${TEXTS.length} texts each; ${Math.round(Math.min(...shares) * 100)} % of the throughput at least`); // prettier-ignore
      accepted.push(...(await spoiltRecords(stand)));
      await takenIds(stand);
      await spinNot(stand);
      await readSites(stand, names);
      await badNames(stand);
      return { accepted, lost, recoveredMs: [] };
    }),
} satisfies Scenario;

const queueOf = (name: KeyName, round = 1) => `${name}-${round}`;
const work = () => new Promise((resolve) => setTimeout(resolve, JOB_MS));

async function suffer(stand: Stand, name: KeyName, round: number) {
  const { client } = stand.redis;
  const queueName = queueOf(name, round);
  const start = (on: string) =>
    stand.worker({ good: work }, { queue: on, concurrency: SLOTS, lease: 3_000 });
  const [worker, other] = [start(queueName), start(`${queueName}-clean`)];
  const queue = stand.queue({ callTimeout: '20s' }, queueName);
  const beside = stand.queue({ callTimeout: '20s' }, `${queueName}-clean`);
  await stand.within(10_000, 'both work', async () => {
    return (await Promise.all([queue, beside].map((each) => each.workers()))).flat().length === 2;
  });
  await pollute(client, queueName, name);
  // Beside each other: whatever else the machine has to do, both have it.
  const [dirty, clean] = await Promise.all(
    [queue, beside].map((each) => doGood(stand, each, name)),
  );
  const ids = [...dirty!.ids];
  await other.stop();
  if (TICKETS.includes(name)) await badOnesEnd(stand, queue, name);
  const lost = await stand.unfinished(ids, queueName);
  if (round === 1) {
    await look(stand, queue, name);
    // The worker that comes next finds all this when it starts.
    await worker.stop();
    start(queueName);
    ids.push(...(await doGood(stand, queue, name)).ids);
  }
  return { share: clean!.ms / dirty!.ms, ids, lost: lost.length };
}

/** @returns how long the good jobs took, ms */
async function doGood(stand: Stand, queue: Queue, name: KeyName) {
  const started = performance.now();
  const items = Array.from({ length: GOOD }, () => ({ fn: 'good' as const, retries: 5 }));
  const ids: string[] = [];
  for (const outcome of await queue.enqueueMany(items)) {
    if (outcome.status === 'fulfilled') ids.push(outcome.value.id);
    else stand.broken.push(`garbage in ${name}: an enqueue ended with ${String(outcome.reason)}`);
  }
  const done = async () => (await stand.unfinished(ids, queue.name)).length === 0;
  await until(done, { timeoutMs: 10_000 }).catch(async () => {
    const left = (await stand.unfinished(ids, queue.name)).length;
    stand.broken.push(`garbage in ${name}: ${left} good jobs came to no end`);
  });
  return { ms: performance.now() - started, ids };
}

async function badOnesEnd(stand: Stand, queue: Queue, name: KeyName): Promise<void> {
  await stand.within(10_000, `garbage in ${name}: what can't be run comes to an end`, async () => {
    const { queued, active, failed } = await queue.counts();
    return queued + active === 0 && failed > 0;
  });
  const errors = new Set((await queue.jobs('failed')).map(({ error }) => error?.name));
  errors.delete('BadRecordError');
  stand.ensure(errors.size === 0, `garbage in ${name} failed with ${[...errors].join(', ')}`);
}

/** Everything that reads or acts answers, or refuses with an error of minq's own. */
async function look(stand: Stand, queue: Queue, name: KeyName): Promise<void> {
  const views: [string, () => Promise<unknown>][] = [
    ['counts', () => queue.counts()],
    ['stats', () => queue.stats()],
    ['workers', () => queue.workers()],
    ['schedules', () => queue.schedules()],
    ['functions', () => queue.functions()],
    ['history', () => queue.history('hour')],
    ['oldestWaitingMs', () => queue.oldestWaitingMs()],
  ];
  for (const state of STATES) {
    views.push([`jobs ${state}`, () => queue.jobs(state)]);
    views.push([`find ${state}`, () => queue.find(state, { error: 'x' })]);
  }
  for (const [what, ask] of views) {
    await ask().catch((error: Error) => {
      stand.broken.push(`garbage in ${name}: ${what}: ${String(error)}`);
    });
  }
  const texts = TEXTS.map(String).filter((text) => text.length < 250);
  for (const id of [...texts, ...TEXTS.map((_, i) => `hostile-${i}`)]) {
    const calls: Record<string, () => Promise<unknown>> = {
      info: async () => queue.job(id).info(),
      result: async () => queue.job(id).result({ timeout: 1 }),
      flow: async () => queue.job(id).flow(),
      cancel: async () => queue.job(id).cancel(),
      retry: async () => queue.retry(id),
      remove: async () => (id.endsWith('1') ? queue.remove(id) : false),
    };
    const asked = Object.entries(calls).map(([what, ask]) =>
      ask().catch((error: Error) => {
        const named = error instanceof MinqError && error.name !== 'RedisCommandError';
        stand.ensure(named, `garbage in ${name}: ${what}: ${String(error).slice(0, 200)}`);
      }),
    );
    await Promise.all(asked);
  }
}

/** Values that no enqueue writes, for each option of a record: the job ends as what it is, the turn that has it goes on. */
const SPOILT: readonly string[] = [
  ...['resultTtl', 'backoff', 'timeout', 'retries', 'delay', 'expires', 'tick', 'runAt'].flatMap((option) =>
    ['"1"', '[]', '{}', 'null', '-1', '1e400', 'true'].map((value) => `"${option}":${value}`),
  ),
  ...['5', '"x"', '[]', '{"a":1}', 'null'].map((value) => `"meta":${value}`),
  '"backoff":{"type":"exponential","delay":"1s"}', '"backoff":{"type":"odd","delay":1,"max":1,"jitter":0}',
]; // prettier-ignore

/** @returns ids of the good jobs */
async function spoiltRecords(stand: Stand): Promise<string[]> {
  const name = 'records';
  const { client } = stand.redis;
  const queue = stand.queue({}, name);
  const good = Array.from({ length: SPOILT.length }, (_, i) => `good-${i}`);
  const bad = SPOILT.map((_, i) => `bad-${i}`);
  await queue.enqueueMany(
    good.flatMap((id, i) => [
      { fn: 'good', id },
      { fn: 'good', id: bad[i]! },
    ]),
  );
  const records = SPOILT.map((option) => `${Date.now()}{"fn":"good","args":[],${option}}`);
  await client.hset(keysOf(name).jobs, ...bad.flatMap((id, i) => [id, records[i]!]));
  const worker = stand.worker({ good: work }, { queue: name, concurrency: SLOTS, lease: 3_000 });
  await stand.within(20_000, 'jobs with spoilt records come to an end', async () => {
    const { completed, failed } = await queue.counts();
    return completed + failed === good.length + bad.length;
  });
  const failed = await queue.jobs('failed', { limit: 1_000 });
  const others = failed.filter(({ error }) => error?.name !== 'BadRecordError');
  stand.ensure(
    failed.length === bad.length,
    `of ${bad.length} jobs with spoilt records ${failed.length} failed`,
  );
  stand.ensure(others.length === 0, `a spoilt record failed with ${others[0]?.error?.name}`);
  stand.ensure(
    (await queue.repair()).repaired === 0,
    'a job with a spoilt record lies in no place',
  );
  await worker.stop();
  return good;
}

/** Ids that minq makes: nobody gets them by enqueueing, and whoever writes them into Redis is told of. */
async function takenIds(stand: Stand): Promise<void> {
  const name = 'taken';
  const queue = stand.queue({}, name);
  for (const id of ['cron:tick:5', 'job:failure:1']) {
    const refused = await queue.enqueue('good', [], { id }).catch((error: unknown) => error);
    stand.ensure(
      refused instanceof MinqError && refused.code === 'INVALID_ARGUMENT',
      `the id ${id} was given away`,
    );
  }
  await queue.schedule('tick', { fn: 'good', every: '1s' });
  const [entry] = await queue.schedules();
  const { jobs } = keysOf(name);
  for (let i = 0; i < 30; i++) {
    await stand.redis.client.hset(
      jobs,
      `cron:tick:${entry!.nextAt! + i * 1_000}`,
      `${Date.now()}{"fn":"good","args":[]}`,
    );
  }
  const worker = stand.worker({ good: work }, { queue: name });
  await stand.within(20_000, 'a tick whose id is taken is told of', async () => {
    const [{ last } = {}] = await queue.schedules();
    return (
      last === 'taken' && (await queue.findings()).some(({ check }) => check === 'dropped-taken')
    );
  });
  await worker.stop();
  await queue.unschedule('tick');
  await stand.redis.client.del(jobs);
}

async function dashboardOn(stand: Stand, queues?: string[]) {
  const handler = dashboard({ redis: stand.redis.url, ...(queues && { queues }) });
  const server = createServer((req, res) => void handler(req, res));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stand.onEnd(async () => {
    await stop(server);
    await handler.close();
  });
  return siteAt((server.address() as AddressInfo).port);
}

/** Whatever stands among the names of queues, the good ones are shown. */
async function badNames(stand: Stand): Promise<void> {
  const { client } = stand.redis;
  const site = await dashboardOn(stand);
  const paths = ['api/queues', 'api/workers', 'api/cron', 'api/findings', 'metrics'];
  const read = async (what: string) => {
    for (const path of paths) {
      const { status, text } = await site.get(path);
      stand.ensure(
        status === 200,
        `${what} among the names of queues: ${path}: ${status} ${text.slice(0, 200)}`,
      );
    }
  };
  const known = queuesKey('minq');
  for (const text of TEXTS) await client.zadd(known, Date.now(), text);
  await read('garbage');
  const { json } = await site.get('api/findings');
  const told = (json as { findings: { check: string }[] }).findings.some(
    ({ check }) => check === 'names',
  );
  stand.ensure(told, 'bad names of queues are not reported');
  await client.set(known, 'a text');
  await read('a text, instead of a list,');
  await client.del(known);
}

const keysOf = (queue: string) => queueKeys('minq', queue);

/** Nothing is left to do on any of the queues: a worker that finds no end of it goes round and round. */
async function spinNot(stand: Stand): Promise<void> {
  const { client } = stand.redis;
  // The log of slow commands, with all counted as slow: MONITOR would stumble over the garbage.
  await client.config('SET', 'slowlog-max-len', '100000');
  await client.config('SET', 'slowlog-log-slower-than', '0');
  await sleep(WATCHED_MS);
  await client.config('SET', 'slowlog-log-slower-than', '-1');
  const rows = (await client.slowlog('GET', '100000')) as [number, number, number, string[]][];
  const sent = new Map<string, number>();
  for (const [, , , args] of rows) {
    if (args[0] !== args[0]!.toLowerCase()) continue; // called by a script of ours, not by a client
    const queue = /\{([^}]+)\}/.exec(args.join(' '))?.[1];
    if (queue !== undefined) sent.set(queue, (sent.get(queue) ?? 0) + 1);
  }
  for (const [queue, count] of sent) {
    stand.ensure(count < BUSY, `garbage in ${queue}: ${count} commands of an idle worker in ${WATCHED_MS} ms`); // prettier-ignore
  }
}

/** The dashboard and the command line, once all keys are full of garbage. */
async function readSites(stand: Stand, names: readonly KeyName[]): Promise<void> {
  const queues = names.map((name) => queueOf(name));
  const site = await dashboardOn(stand, queues);
  const read = async (path: string) => {
    const { status, text } = await site.get(path);
    stand.ensure([200, 404].includes(status), `${path}: ${status} ${text.slice(0, 200)}`);
  };
  await Promise.all(['api/queues', 'api/workers', 'api/cron', 'metrics'].map(read));
  for (const queue of queues) {
    const paths = [`api/queue?queue=${queue}`];
    for (const state of STATES) paths.push(`api/jobs?queue=${queue}&state=${state}`);
    for (const i of TEXTS.keys()) paths.push(`api/job?queue=${queue}&id=hostile-${i}`);
    await Promise.all(paths.map(read));
  }
  const keep = { teardown: (end: () => void) => stand.onEnd(async () => end()) };
  const every = queues.flatMap((queue) => ['--queue', queue]);
  const commands = [
    ['stats', ...every], ['workers', ...every], ['workers', ...every, '--json'], ['cron', ...every],
    ['jobs', 'failed', '--queue', 'outcomes-1'], ['jobs', 'queued', '--queue', 'queued-1'],
    ['jobs', 'scheduled', '--queue', 'scheduled-1', '--json'],
  ]; // prettier-ignore
  await Promise.all(
    commands.map(async (command) => {
      const { code, stderr } = await minq(keep, command, { redis: stand.redis.url }).ended;
      stand.ensure(code === 0, `minq ${command.slice(0, 4).join(' ')} ended with ${code}: ${stderr.slice(0, 300)}`); // prettier-ignore
    }),
  );
}
