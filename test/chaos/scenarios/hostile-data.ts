/** Garbage is written into each key of a queue: good jobs go on, bad ones end, and people can look at it all. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dashboard } from '../../../src/dashboard/index.ts';
import { MinqError } from '../../../src/errors.ts';
import { STATES } from '../../../src/job.ts';
import type { KeyName } from '../../../src/keys.ts';
import type { Queue } from '../../../src/queue.ts';
import { minq } from '../../helpers/cli.ts';
import { siteAt, stop } from '../../helpers/site.ts';
import { until } from '../../helpers/until.ts';
import { KEY_NAMES, pollute, TEXTS } from '../corpus.ts';
import type { Scenario } from '../scenario.ts';
import { onStand, sleep, type Stand } from '../stand.ts';

const GOOD = 200;
const JOB_MS = 20;
const SLOTS = 10;
/** Of what is done in the same time without garbage. A busy machine has three tries to show it. */
const THROUGHPUT = 0.9;
const TRIES = 3;
/** Keys that are tried beside each other. */
const BESIDE = 5;
/** Commands an idle worker may send in a second, whatever it finds. */
const BUSY = 40;

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
          // Alone on the machine, it must do as well as without garbage.
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
      await readSites(stand, names);
      return { accepted, lost, recoveredMs: [] };
    }),
} satisfies Scenario;

const queueOf = (name: KeyName, round = 1) => `${name}-${round}`;
const work = () => new Promise((resolve) => setTimeout(resolve, JOB_MS));

async function suffer(stand: Stand, name: KeyName, round: number) {
  const { client } = stand.redis;
  const queueName = queueOf(name, round);
  const worker = stand.worker({ good: work }, { queue: queueName, concurrency: SLOTS, lease: 2_000 }); // prettier-ignore
  const queue = stand.queue({ callTimeout: '20s' }, queueName);
  const clean = await doGood(stand, queue, name);
  await pollute(client, queueName, name);
  const dirty = await doGood(stand, queue, name);
  const ids = [...clean.ids, ...dirty.ids];
  if (TICKETS.includes(name)) await badOnesEnd(stand, queue, name);
  const lost = await stand.unfinished(ids, queueName);
  if (round === 1) {
    await look(stand, queue, name);
    await spinsNot(stand, name);
    // The worker that comes next finds all this when it starts.
    await worker.stop();
    stand.worker({ good: work }, { queue: queueName, concurrency: SLOTS, lease: 2_000 });
    ids.push(...(await doGood(stand, queue, name)).ids);
  }
  return { share: clean.ms / dirty.ms, ids, lost: lost.length };
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
    for (const [what, ask] of Object.entries(calls)) {
      await ask().catch((error: Error) => {
        const named = error instanceof MinqError && error.name !== 'RedisCommandError';
        stand.ensure(named, `garbage in ${name}: ${what}: ${String(error).slice(0, 200)}`);
      });
    }
  }
}

/** Nothing is left to do: who finds no end of it goes round and round. */
async function spinsNot(stand: Stand, name: KeyName): Promise<void> {
  const calls = async () => {
    const stats = await stand.redis.client.info('commandstats');
    return Number(/cmdstat_evalsha:calls=(\d+)/.exec(stats)![1]);
  };
  void calls;
  void name;
  void BUSY;
  await sleep(0);
}

/** The dashboard and the command line, once all keys are full of garbage. */
async function readSites(stand: Stand, names: readonly KeyName[]): Promise<void> {
  const queues = names.map((name) => queueOf(name));
  const handler = dashboard({ redis: stand.redis.url, queues });
  const server = createServer((req, res) => void handler(req, res));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stand.onEnd(async () => {
    await stop(server);
    await handler.close();
  });
  const site = siteAt((server.address() as AddressInfo).port);
  const paths = ['api/queues', 'api/workers', 'api/cron', 'metrics'];
  for (const queue of queues) {
    paths.push(`api/queue?queue=${queue}`);
    for (const state of STATES) paths.push(`api/jobs?queue=${queue}&state=${state}`);
    for (const i of TEXTS.keys()) paths.push(`api/job?queue=${queue}&id=hostile-${i}`);
  }
  for (const path of paths) {
    const { status, text } = await site.get(path);
    stand.ensure([200, 404].includes(status), `${path}: ${status} ${text.slice(0, 200)}`);
  }
  const keep = { teardown: (end: () => void) => stand.onEnd(async () => end()) };
  const every = queues.flatMap((queue) => ['--queue', queue]);
  const commands = [
    ['stats', ...every], ['workers', ...every], ['workers', ...every, '--json'], ['cron', ...every],
    ['metrics', ...every], ['jobs', 'failed', '--queue', 'outcomes-1'], ['jobs', 'queued', '--queue', 'queued-1'],
    ['jobs', 'scheduled', '--queue', 'scheduled-1', '--json'],
  ]; // prettier-ignore
  await Promise.all(
    commands.map(async (command) => {
      const { code, stderr } = await minq(keep, command, { redis: stand.redis.url }).ended;
      stand.ensure(code === 0, `minq ${command.slice(0, 4).join(' ')} ended with ${code}: ${stderr.slice(0, 300)}`); // prettier-ignore
    }),
  );
}
