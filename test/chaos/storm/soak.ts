/**
 * A storm that goes on for long, at a steady rate: memory of all processes stays flat, nothing piles up in the producer,
 * and when the time of all that is kept has run out, no key is left.
 */
import type { TestRedis } from '../../helpers/redis.ts';
import type { Line, Sample } from './evidence.ts';
import { planFaults } from './faults.ts';
import { Field, LEASE_MS, QUEUE, WORKERS, workerName } from './field.ts';
import { growthOf, hasGrown, type Bound, type Growth } from './growth.ts';
import type { Counters } from './history.ts';
import { Nemesis } from './nemesis.ts';
import { calm, countersOf, tally, victimsOf } from './storm.ts';
import { judge, type Verdict } from './verdict.ts';

export interface SoakOptions {
  readonly seed: number;
  readonly ms: number;
  say(this: void, line: string): void;
}

export interface SoakReport extends Verdict {
  readonly seed: number;
  readonly seconds: number;
  readonly jobs: Counters;
  readonly faults: Readonly<Record<string, number>>;
  readonly checks: number;
  readonly drainMs: number;
  /** Bytes; of handles and listeners their number. */
  readonly growth: readonly Growth[];
}

const PER_SECOND = 40;
/** Two of the workers are never killed: their memory is that of the whole time. */
const SPARED = 2;
const RESULT_TTL_MS = 30_000;
/** That of workers which were killed. */
const PRESENCE_MS = 60_000;
const CLEAN_UP_MS = 10_000;
const SAY_MS = 30_000;

const MB = 1024 * 1024;
const BOUNDS: Record<keyof Sample, Bound> = {
  rss: { factor: 1.2, more: 20 * MB },
  heap: { factor: 1.2, more: 5 * MB },
  resources: { factor: 1, more: 40 }, // jobs that run have some

  listeners: { factor: 1, more: 0 },
};
const REDIS_BOUND: Bound = { factor: 1.2, more: 5 * MB };

/** What a queue without jobs has: counters, and the one token. All of a size that doesn't grow with the jobs. */
const REMAINS = [
  'stats',
  'timings',
  'timings:then',
  'timings:next',
  'history',
  'cron:apps',
  'wake',
];

export async function soak({ seed, ms, say }: SoakOptions): Promise<SoakReport> {
  const seconds = Math.round(ms / 1_000);
  const sampleMs = Math.max(200, Math.min(5_000, ms / 60));
  const settings = { seed, perSecond: PER_SECOND, resultTtl: `${RESULT_TTL_MS}ms`, sampleMs };
  const field = await Field.open(settings);
  try {
    const pids = Array.from({ length: SPARED }, (_, i) => field.supervisor.pid(workerName(i)));
    const cast = { leaseMs: LEASE_MS, workers: WORKERS, spared: SPARED };
    const nemesis = new Nemesis(planFaults(seed, seconds, cast), victimsOf(field), () => {});
    const redisBytes: number[] = [];
    const loops = [
      every(sampleMs, async () => void redisBytes.push(await usedMemory(field.redis))),
      every(CLEAN_UP_MS, () => cleanUp(field)),
      every(SAY_MS, async () => say(await standing(field, nemesis))),
    ];
    await new Promise((resolve) => setTimeout(resolve, ms)); // how long it lasts
    for (const stop of loops) await stop();
    const { seen, drainMs } = await calm(field, nemesis, say);
    seen.push(...(await findLeftOver(field, say)));

    const calls = field.calls();
    const runs = field.runs();
    const growth = [
      ...sizes('producer', calls),
      ...pids.flatMap((pid, i) =>
        sizes(
          workerName(i),
          runs.filter((line) => line.pid === pid),
        ),
      ),
      growthOf('Redis memory', redisBytes, REDIS_BOUND),
    ];
    for (const one of growth.filter(hasGrown)) {
      seen.push(`${one.what} has grown from ${one.first} to ${one.last} (at most ${one.most})`);
    }
    const counters = await countersOf(field);
    return {
      seed,
      seconds,
      ...judge({ seed, calls, runs, counters, seen }),
      jobs: counters,
      faults: tally(nemesis.done),
      checks: field.watch.checks,
      drainMs,
      growth,
    };
  } finally {
    await field.close();
  }
}

/** Until it is stopped. Redis being away is waited out, by whoever asks. */
function every(ms: number, task: () => Promise<unknown>): () => Promise<void> {
  let over = false;
  let wake = () => {};
  const running = (async () => {
    while (!over) {
      await new Promise<void>((resolve) => {
        wake = resolve;
        setTimeout(resolve, ms);
      });
      if (!over) await task();
    }
  })();
  return async () => {
    over = true;
    wake();
    await running;
  };
}

/** Failed and cancelled jobs are kept for longer than a soak: somebody looks through them. */
async function cleanUp({ queue }: Field): Promise<void> {
  await queue.purge('failed');
  await queue.purge('cancelled');
}

async function standing(field: Field, nemesis: Nemesis): Promise<string> {
  const { completed, enqueued } = await field.queue.stats();
  const broken = field.watch.found.size;
  return `${completed} of ${enqueued} jobs completed, ${nemesis.done.length} faults, ${broken} invariants broken`;
}

async function usedMemory(redis: TestRedis): Promise<number> {
  return Number(/^used_memory:(\d+)/m.exec(await redis.client.info('memory'))?.[1]);
}

function sizes(who: string, lines: readonly Line[]): Growth[] {
  const samples = lines
    .filter(({ what }) => what === 'sample')
    .map(({ more }) => JSON.parse(more) as Sample);
  const of = (what: keyof Sample) =>
    growthOf(`${who} ${what}`, samples.map((sample) => sample[what]), BOUNDS[what]); // prettier-ignore
  return (Object.keys(BOUNDS) as (keyof Sample)[]).map(of);
}

/** Waits until nothing is to be kept, and has a worker clear up, as one does that is started. */
async function findLeftOver(field: Field, say: SoakOptions['say']): Promise<string[]> {
  const { redis, supervisor } = field;
  await cleanUp(field);
  say('all is worked off; what is kept has to run out');
  const kept = Math.max(RESULT_TTL_MS, PRESENCE_MS) + 1_000;
  await new Promise((resolve) => setTimeout(resolve, kept));
  await field.startWorker(WORKERS);
  supervisor.ask(workerName(WORKERS));
  await supervisor.wait(workerName(WORKERS), CLEAN_UP_MS);
  const base = `minq:{${QUEUE}}:`;
  const left: string[] = [];
  for (const key of await redis.client.keys(`${base}*`)) {
    // That the last worker has left is remembered for a minute.
    const goes = (await redis.client.pttl(key)) >= 0;
    if (!goes && !REMAINS.includes(key.slice(base.length)))
      left.push(`the key ${key} is left over`);
  }
  return left;
}
