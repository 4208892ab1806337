/**
 * One library in one scenario, in a process of its own. Warms up and says so to its parent; then sends a
 * `Measurement` for each message it gets; ends when the parent lets go of it.
 * Arguments: library, scenario, URL of Redis, ms of warm-up, ms of a round, `quick` or `full`, file for a CPU profile.
 */
import { LIBRARIES } from './libraries.ts';
import {
  CommandCounter,
  LoopDelay,
  Profiler,
  ScriptLog,
  Stopwatch,
  together,
  usedMemory,
  type Meter,
} from './meter.ts';
import type { Measurement } from './measurement.ts';
import { native } from './native.ts';
import { SCENARIOS } from './scenarios.ts';

const { Redis: Client } = native('ioredis') as typeof import('ioredis');

/** Most jobs of the stretch that is timed, of the one whose commands are counted, and of the one that is weighed. */
const MOST_TIMED = 200_000;
const COUNTED = 2_000;
const WEIGHED = 20_000;

const [library = '', scenarioName = '', url = '', warmUpMs = '', roundMs = '', how, profile] =
  process.argv.slice(2);
const scenario = SCENARIOS.find(({ name }) => name === scenarioName)!;
const control = new Client(url);
const { connect } = await LIBRARIES[library]!();
const lib = await connect(url, scenario.uses);
const quick = how === 'quick';
const endings: (() => unknown)[] = [];
const batch = await scenario.prepare(lib, {
  library,
  url,
  control,
  quick,
  onEnd: (close) => void endings.push(close),
});
const size = scenario.size?.[quick ? 'quick' : 'full'];
const n = scenario.cold ? size! : await warmUp(Number(warmUpMs), Number(roundMs));

process.on('message', async () => process.send!(await round()));
process.once('disconnect', async () => {
  for (const end of endings) await end();
  await lib.close();
  await control.flushall();
  control.disconnect();
});
process.send!('ready');

/**
 * Runs growing batches until the time is over: the compiler has then seen everything often enough.
 * @returns how many jobs a round has: as many as fill it, if the scenario leaves that open
 */
async function warmUp(forMs: number, fillMs: number): Promise<number> {
  const startedAt = performance.now();
  for (let n = Math.min(50, size ?? 50); ;) {
    const watch = new Stopwatch(control);
    await batch(n, watch);
    const fill = size ?? Math.min(MOST_TIMED, Math.ceil((n / watch.seconds) * (fillMs / 1_000)));
    if (performance.now() - startedAt >= forMs) return fill;
    n = Math.min(n * 2, fill);
  }
}

async function round(): Promise<Measurement> {
  await control.flushall();
  const watch = new Stopwatch(control);
  const loop = new LoopDelay();
  const scripts = new ScriptLog(control);
  const meters: Meter[] = [watch, scripts];
  if (scenario.loopDelay) meters.push(loop);
  const { jobs = n, ...found } = (await batch(n, together(...meters))) ?? {};

  const counter = new CommandCounter(control);
  const counted = Math.min(n, scenario.counted ?? COUNTED);
  if (counted > 0) await batch(counted, counter);

  if (profile) await batch(n, new Profiler(profile));
  const measurement = {
    jobs,
    jobsPerSecond: jobs / watch.seconds,
    ...watch.perJob(jobs),
    ...(counted > 0 && counter.perJob(counted)),
    ...(scenario.loopDelay && { loopDelayP99Ms: loop.p99Ms }),
    longestScriptMs: scripts.longestMs,
    longScripts: scripts.long,
    ...(scenario.memory && { memoryBytes: await weigh() }),
    ...found,
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
