/**
 * One library in one scenario, in a process of its own. Warms up and says so to its parent; then sends a
 * `Measurement` for each message it gets; ends when the parent lets go of it.
 * Arguments: library, scenario, URL of Redis, ms of warm-up, ms of a round, file for a CPU profile.
 */
import { LIBRARIES } from './libraries.ts';
import { CommandCounter, Profiler, Stopwatch, usedMemory } from './meter.ts';
import { native } from './native.ts';
import { SCENARIOS } from './scenarios.ts';

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

const [library = '', scenarioName = '', url = '', warmUpMs = '', roundMs = '', profile] =
  process.argv.slice(2);
const scenario = SCENARIOS.find(({ name }) => name === scenarioName)!;
const control = new Client(url);
const { connect } = await LIBRARIES[library]!();
const lib = await connect(url, scenario.waits ?? false);
const batch = await scenario.prepare(lib);
const jobs = await warmUp(Number(warmUpMs), Number(roundMs));

process.on('message', async () => process.send!(await round()));
process.once('disconnect', async () => {
  await lib.close();
  control.disconnect();
});
process.send!('ready');

/**
 * Runs growing batches until the time is over: the compiler has then seen everything often enough.
 * @returns how many jobs fill a round
 */
async function warmUp(forMs: number, fillMs: number): Promise<number> {
  const startedAt = performance.now();
  for (let n = 50; ;) {
    const watch = new Stopwatch(control);
    await batch(n, watch);
    const fill = Math.min(MOST_TIMED, Math.ceil((n / watch.seconds) * (fillMs / 1_000)));
    if (performance.now() - startedAt >= forMs) return fill;
    n = Math.min(n * 2, fill);
  }
}

async function round(): Promise<Measurement> {
  await control.flushall();
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
    ...(scenario.memory && { memoryBytes: await weigh() }),
  };
  await control.flushall();
  return measurement;
}

async function weigh(): Promise<number> {
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
