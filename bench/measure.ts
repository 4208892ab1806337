/**
 * One measurement, in a process of its own: one library, one scenario. Sends a `Measurement` to its parent.
 * Arguments: library, scenario, URL of Redis, how long to measure in ms, file for a CPU profile.
 */
import type { Redis } from 'ioredis';
import { LIBRARIES, type Adapter } from './adapters/adapter.ts';
import { CommandCounter, Profiler, Stopwatch, usedMemory } from './meter.ts';
import { native } from './native.ts';
import { SCENARIOS, type Batch } from './scenarios.ts';

/** What a job costs, `jobs` of them having been timed. */
export interface Measurement {
  jobs: number;
  jobsPerSecond: number;
  /** Commands: sent by the client, and called by its scripts. */
  sent: number;
  inScripts: number;
  redisCpuUs: number;
  nodeCpuUs: number;
  /** Between Node and Redis, both directions. */
  bytes: number;
  /** How long one call takes, where calls are waited for. */
  p50Ms?: number;
  p99Ms?: number;
  /** `used_memory` per waiting job. */
  memoryBytes?: number;
}

const { Redis: Client } = native('ioredis') as typeof import('ioredis');

/** Most jobs of the stretch that is timed, of the one whose commands are counted, and of the one that is weighed. */
const MOST_TIMED = 200_000;
const COUNTED = 2_000;
const WEIGHED = 20_000;

async function measure(
  library: string,
  scenarioName: string,
  url: string,
  forMs: number,
  profile: string | undefined,
): Promise<Measurement> {
  const scenario = SCENARIOS.find(({ name }) => name === scenarioName)!;
  const control = new Client(url);
  const { connect } = await LIBRARIES[library]!();
  const lib = await connect(url, scenario.waits ?? false);
  const batch = await scenario.prepare(lib);

  const jobs = await warmUp(batch, control, forMs);
  const watch = new Stopwatch(control);
  const took = await batch(jobs, watch);

  const counter = new CommandCounter(control);
  const counted = Math.min(jobs, COUNTED);
  await batch(counted, counter);

  if (profile) await batch(jobs, new Profiler(profile));

  const measurement = {
    jobs,
    jobsPerSecond: jobs / watch.seconds,
    ...watch.perJob(jobs),
    ...counter.perJob(counted),
    ...(took && percentiles(took)),
    ...(scenario.memory && { memoryBytes: await weigh(lib, control) }),
  };
  await lib.close();
  control.disconnect();
  return measurement;
}

/** Runs growing batches for as long as the measurement will take, and says how many jobs fill that time. */
async function warmUp(batch: Batch, control: Redis, forMs: number): Promise<number> {
  const startedAt = performance.now();
  for (let n = 50; ; n *= 2) {
    const watch = new Stopwatch(control);
    await batch(n, watch);
    const perSecond = n / watch.seconds;
    if (performance.now() - startedAt >= forMs || n * 2 > MOST_TIMED) {
      return Math.min(MOST_TIMED, Math.ceil((perSecond * forMs) / 1_000));
    }
  }
}

async function weigh(lib: Adapter, control: Redis): Promise<number> {
  await control.flushall();
  const before = await usedMemory(control);
  await lib.enqueueMany(Array.from({ length: WEIGHED }, (_, i) => i));
  return ((await usedMemory(control)) - before) / WEIGHED;
}

function percentiles(took: number[]): { p50Ms: number; p99Ms: number } {
  const sorted = took.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor(share * (sorted.length - 1))]!;
  return { p50Ms: at(0.5), p99Ms: at(0.99) };
}

const [library = '', scenario = '', url = '', forMs = '', profile] = process.argv.slice(2);
process.send!(await measure(library, scenario, url, Number(forMs), profile));
process.disconnect();
