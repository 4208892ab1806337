/** Where a scenario plays: a Redis of its own, worker processes, a producer, and what all of them did. */
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { follow, type Entry } from '../helpers/evidence.ts';
import { violations } from '../helpers/invariants.ts';
import { startRedis, type TestRedis } from '../helpers/redis.ts';
import { until } from '../helpers/until.ts';
import type {
  Ended,
  Producer,
  ProducerOptions,
  Tasks,
  WorkerOptions,
} from './libraries/library.ts';
import { extraRuns } from './runs.ts';
import type { Ground, Outcome } from './scenario.ts';

const QUEUE = 'chaos';
const AGAIN_MS = 100;
/** Calls under way, where there is one for each job. */
const AT_ONCE = 200;

export interface Setting {
  readonly redis: TestRedis;
  readonly producer: Producer;
  readonly leaseMs: number;
  /** Ids of jobs whose enqueue resolved. */
  readonly accepted: Set<string>;
  /**
   * Enqueues a job, as often as it takes: a call that fails is made again with the same id.
   * @param id default: a new one
   * @returns the id, once accepted
   */
  enqueue(
    task: keyof Tasks,
    args: readonly unknown[],
    options?: { id?: string; retries?: number },
  ): Promise<string>;
  startWorker(options?: Partial<WorkerOptions>): Promise<ChildProcess>;
  /** What the runs have written so far. */
  readonly entries: () => readonly Entry[];
  /** Aborts when it is taken down. */
  readonly over: AbortSignal;
  /** Waits until every accepted job is at its end, or no more came to it for a time in which lost work would have. */
  drained(): Promise<void>;
  /** The outcome, with what is true of every scenario: nothing lost, nothing failed but what is `meant` to, invariants kept. */
  outcome(
    recoveredMs: readonly number[],
    broken: readonly string[],
    more?: { meant?: ReadonlySet<string>; notes?: readonly string[] },
  ): Promise<Outcome>;
}

export const ended = (child: ChildProcess): boolean =>
  child.exitCode !== null || child.signalCode !== null;

export interface SettingOptions {
  readonly redisFlags?: string[];
  readonly producer?: ProducerOptions;
}

/** Sets it up, plays, and ends all that was started. */
export async function play(
  { library, full }: Ground,
  { redisFlags = [], producer: producerOptions }: SettingOptions,
  body: (setting: Setting) => Promise<Outcome>,
): Promise<Outcome> {
  const leaseMs = full ? library.leaseMs.full : library.leaseMs.short;
  const folder = mkdtempSync(path.join(tmpdir(), 'minq-chaos-'));
  const evidence = path.join(folder, 'evidence');
  const children: ChildProcess[] = [];
  const kill = () => {
    for (const child of children) child.kill('SIGKILL');
  };
  process.once('exit', kill);
  const redis = await startRedis(redisFlags);
  const killRedis = () => redis.signal('SIGKILL');
  process.once('exit', killRedis);
  const producer = library.producer(redis.url, QUEUE, producerOptions);
  const accepted = new Set<string>();
  const over = new AbortController();
  let next = 0;

  const setting: Setting = {
    redis,
    producer,
    leaseMs,
    accepted,
    over: over.signal,
    entries: follow(evidence),
    async enqueue(task, args, options) {
      const given = { id: `${task}-${++next}`, ...options };
      for (;;) {
        try {
          await producer.enqueue(task, args, given);
          accepted.add(given.id);
          return given.id;
        } catch (error) {
          if (over.signal.aborted) throw error;
          await sleep(AGAIN_MS);
        }
      }
    },
    async startWorker(options = {}) {
      const child = await library.startWorker({
        redis: redis.url,
        queue: QUEUE,
        evidence,
        concurrency: 10,
        leaseMs,
        ...options,
      });
      children.push(child);
      return child;
    },
    async drained() {
      let count = -1;
      let since = performance.now();
      await until(
        async () => {
          const { completed, failed } = await producer.finished();
          if (completed + failed !== count) since = performance.now();
          count = completed + failed;
          return count >= accepted.size || performance.now() - since > 4 * leaseMs + 10_000;
        },
        { timeoutMs: 30 * 60_000, everyMs: 50 },
      );
    },
    async outcome(recoveredMs, broken, { meant = new Set(), notes = [] } = {}) {
      const ends: { id: string; end: Ended | undefined }[] = [];
      const ids = [...accepted];
      while (ids.length > 0) {
        const batch = ids.splice(0, AT_ONCE);
        ends.push(
          ...(await Promise.all(batch.map(async (id) => ({ id, end: await producer.ended(id) })))),
        );
      }
      const lost = ends.filter(({ end }) => !end);
      const failed = ends.filter(({ id, end }) => end?.state === 'failed' && !meant.has(id));
      const found = [...broken];
      if (lost.length > 0) found.push(`lost: ${some(lost.map(({ id }) => id))}`);
      if (failed.length > 0) {
        const reasons = new Set(failed.map(({ end }) => end!.error));
        found.push(`${failed.length} sound jobs ended failed: ${[...reasons].join('; ')}`);
      }
      const done = new Set(this.entries().flatMap(({ what, id }) => (what === 'end' ? [id] : [])));
      const unreal = ends.filter(({ id, end }) => end?.state === 'completed' && !done.has(id));
      if (unreal.length > 0) found.push(`completed unrun: ${some(unreal.map(({ id }) => id))}`);
      if (library.name === 'minq') found.push(...(await violations(redis.client, QUEUE)));
      return {
        accepted: accepted.size,
        lost: lost.length,
        failed: failed.length,
        extraRuns: extraRuns(this.entries()),
        recoveredMs,
        broken: found,
        settings: library.settings(leaseMs),
        notes,
      };
    },
  };

  try {
    return await body(setting);
  } finally {
    over.abort();
    kill();
    await until(() => children.every(ended));
    await producer.close().catch(() => {});
    await redis.stop();
    process.off('exit', kill);
    process.off('exit', killRedis);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Starts Redis again. @returns how long after it was ready all the workers had begun a run; 0: before we could see that it was */
export async function msToResume(
  { redis, entries }: Pick<Setting, 'redis' | 'entries'>,
  workers: readonly ChildProcess[],
): Promise<number> {
  const startedAt = Date.now();
  await redis.restart();
  const readyAt = Date.now();
  const first = ({ pid }: ChildProcess) =>
    entries().find((one) => one.what === 'start' && one.pid === pid && one.at > startedAt);
  await until(() => workers.every(first), { timeoutMs: 120_000, everyMs: 20 });
  return Math.max(0, ...workers.map((worker) => first(worker)!.at - readyAt));
}

const some = (ids: readonly string[]): string =>
  ids.length > 5 ? `${ids.slice(0, 5).join(', ')} and ${ids.length - 5} more` : ids.join(', ');
