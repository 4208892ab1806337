/** What the scenarios of clusters and sentinels share: work on a queue from before the fault until long after it. */
import { Queue, Worker } from '../../src/index.ts';
import type { Servers } from '../helpers/distributed.ts';
import { violations } from '../helpers/invariants.ts';
import { produce, type Load } from '../helpers/load.ts';
import { until } from '../helpers/until.ts';
import type { Ground, Outcome } from './scenario.ts';

const LEASE_MS = 2_000;
const CALL_TIMEOUT_MS = 1_500;
const JOB_MS = 5;
/** A replica may be this far behind, and all clients have heard of a new master this much after it was named. */
const BEHIND_MS = 1_000;
const HEARD_MS = 2_500;

export interface Bench {
  readonly load: Load;
  /** Resolves when so many more jobs have ended. */
  more(jobs: number): Promise<void>;
  /** Notes the promise as broken unless it holds. */
  ensure(holds: boolean, promise: string): void;
}

export interface Fault {
  /** From when on work is to go on, by performance.now(): the slot is moved, another master is named. */
  readonly over: number;
  /** When the master went whose last writes are lost with it; undefined: none may be. */
  readonly masterGone?: number;
}

/**
 * @param queues of which the first meets the fault, and the others must not notice
 * @param resumedMs how long after the end of the fault work may rest
 */
export async function underLoad(
  ground: Ground,
  servers: Servers,
  queues: readonly string[],
  resumedMs: number,
  fault: (bench: Bench) => Promise<Fault>,
): Promise<Outcome> {
  const broken: string[] = [];
  const ensure = (holds: boolean, promise: string) => void (holds || broken.push(promise));
  const options = { redis: servers.url, callTimeout: CALL_TIMEOUT_MS };
  const made = queues.map((name) => {
    const runs = new Map<string, number>();
    const ends: number[] = [];
    const work = () => new Promise<void>((resolve) => setTimeout(resolve, JOB_MS));
    const workers = [1, 2].map(() => {
      const worker = new Worker(
        { work: () => work().then(() => void ends.push(performance.now())) },
        {
          ...options,
          queue: name,
          lease: LEASE_MS,
          logger: { debug() {}, info() {}, warn() {}, error() {} },
          middleware: (job, next) => {
            runs.set(job.id, (runs.get(job.id) ?? 0) + 1);
            return next();
          },
        },
      );
      worker.run().catch((error: Error) => broken.push(`a worker ended: ${error.message}`));
      return worker;
    });
    const queue = new Queue(name, options);
    return { name, queue, workers, runs, ends, load: produce(queue, 'work', `${name}-`) };
  });
  const [first, ...others] = made as [(typeof made)[0], ...typeof made];
  const more = async (jobs: number) => {
    const enough = first.ends.length + jobs;
    await until(() => first.ends.length >= enough, { timeoutMs: 60_000, what: 'work goes on' });
  };
  try {
    await more(200);
    const { over, masterGone } = await fault({ load: first.load, more, ensure });
    const wentOn = () => [first.load.accepted.at(-1)!.at, first.ends.at(-1)!].every((at) => at > over); // prettier-ignore
    await until(wentOn, { timeoutMs: 60_000, what: 'work goes on' });
    const resumed = Math.max(
      first.load.accepted.find(({ at }) => at > over)!.at,
      first.ends.find((at) => at > over)!,
    );
    const recovered = Math.round(resumed - over);
    ensure(recovered <= resumedMs, `${recovered} ms until work went on`);
    await more(ground.full ? 2_000 : 200);
    let [accepted, extraRuns, lost, withServer] = [0, 0, 0, 0];
    await until(() => performance.now() > over + 2 * HEARD_MS); // who hasn't heard of it by then is found out
    for (const { name, load, runs } of made) {
      await load.stop();
      const fresh = new Queue(name, { redis: servers.url });
      const drained = async () => (await load.fate(fresh)).unfinished === 0;
      await until(drained, { timeoutMs: 60_000, what: 'all that Redis knows of is done' });
      const { gone } = await load.fate(fresh);
      await fresh.close();
      const atChange = load.accepted.filter(
        ({ id, at }) =>
          masterGone !== undefined &&
          gone.includes(id) &&
          at > masterGone - BEHIND_MS &&
          at < over + HEARD_MS,
      ).length;
      accepted += load.accepted.length;
      lost += gone.length;
      withServer += atChange;
      extraRuns += [...runs.values()].reduce((sum, times) => sum + times - 1, 0);
      const { client } = await servers.masterOf(name);
      broken.push(...(await violations(client, name)).slice(0, 10));
    }
    for (const { name, load } of others) {
      ensure(load.refused.length === 0, `${load.refused.length} calls for queue ${name} failed`);
    }
    ground.say(`${accepted} jobs, ${lost} lost; work went on after ${recovered} ms`);
    return { accepted, lost, withServer, extraRuns, recoveredMs: [recovered], broken };
  } finally {
    for (const { queue, workers, load } of made) {
      void load.stop();
      await Promise.all([queue.close(), ...workers.map((worker) => worker.stop({ timeout: 500 }))]);
    }
  }
}

/** Starts them, and stops them whatever happens. */
export async function withServers<S extends Servers>(
  start: () => Promise<S>,
  body: (servers: S) => Promise<Outcome>,
): Promise<Outcome> {
  const servers = await start();
  try {
    return await body(servers);
  } finally {
    await servers.stop();
  }
}
