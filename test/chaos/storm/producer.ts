/**
 * The producer of a storm: `producer.ts <evidence file> <Settings as JSON>`. Enqueues at a steady rate, through a
 * proxy that fails, with a deadline of its own and the same id at every further try. At a message of its parent
 * it brings to an end what is under way, closes its queue, and then has to end by itself.
 */
import {
  Queue,
  RedisOutOfMemoryError,
  RedisUnavailableError,
  ResultTimeoutError,
  type EnqueueOptions,
  type Job,
} from '../../../src/index.ts';
import { openEvidence, sampleEvery, untilAsked, watchProcess } from './evidence.ts';
import type { Jobs } from './jobs.ts';
import { flowOf, isFlowKind, planned, RETRIES, type Planned } from './plan.ts';

export interface ProducerSettings {
  readonly redis: string;
  readonly queue: string;
  readonly far: string;
  readonly seed: number;
  readonly perSecond: number;
  readonly resultTtl: string;
  /** How often to say how big it is; 0: never. */
  readonly sampleMs: number;
}

const CALL_MS = 1_000;
/** A call that takes this much longer than its deadline hangs; a slow machine takes some of it. */
const HUNG_MS = 10_000;
const PAUSE_MS = 100;
/** How many jobs it lets wait, and how often it looks. */
const MOST_QUEUED = 500;
const LOOK_EVERY = 50;

const [file, text] = process.argv.slice(2) as [string, string];
const settings = JSON.parse(text) as ProducerSettings;
const write = openEvidence(file);
watchProcess(write);
if (settings.sampleMs > 0) sampleEvery(settings.sampleMs, write);
const queue = new Queue<Jobs>(settings.queue, {
  redis: settings.redis,
  callTimeout: CALL_MS,
  defaults: { resultTtl: settings.resultTtl },
});
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Says so when a call doesn't end: each has a deadline. */
async function watched<T>(key: string, call: Promise<T>, mostMs: number): Promise<T> {
  const timer = setTimeout(() => write('hung', { key }), mostMs + HUNG_MS);
  try {
    return await call;
  } finally {
    clearTimeout(timer);
  }
}

/** Until it succeeds. @returns undefined when it fails as it must not, or `mayRepeat` says no */
async function insist<T>(
  key: string,
  call: () => Promise<T>,
  mayRepeat: (error: RedisUnavailableError) => boolean = () => true,
  mostMs = CALL_MS,
): Promise<T | undefined> {
  for (;;) {
    try {
      return await watched(key, call(), mostMs);
    } catch (error) {
      if (error instanceof RedisUnavailableError) {
        if (!mayRepeat(error)) return undefined;
      } else if (!(error instanceof RedisOutOfMemoryError || error instanceof ResultTimeoutError)) {
        write('refused', { key, more: String(error) });
        return undefined;
      }
      await pause(PAUSE_MS);
    }
  }
}

async function enqueueFlow(plan: Planned): Promise<void> {
  const { key } = plan;
  write('attempt', { key });
  const flow = flowOf(plan, settings.far);
  // A flow enqueued again is another one: only what was certainly not sent may be repeated.
  const job = await insist(
    key,
    () => queue.enqueue(flow as never) as Promise<Job>,
    ({ maybeEnqueued, id }) => {
      if (maybeEnqueued) write('gaveUp', { key, id: id! });
      return !maybeEnqueued;
    },
  );
  if (job) write('accept', { key, id: job.id });
}

async function enqueue(plan: Planned): Promise<Job | undefined> {
  const { key, kind, ms, failures, delayMs, priority } = plan;
  const options: EnqueueOptions = {
    retries: kind === 'once' ? 0 : RETRIES,
    backoff: 100,
    delay: delayMs,
    ...(priority !== 'normal' && { priority }),
    ...(!['plain', 'once', 'doomed'].includes(kind) && { id: key, unique: 'kept' }),
  };
  const [fn, args] =
    kind === 'flaky'
      ? (['flaky', [key, ms, failures]] as const)
      : ([kind === 'doomed' ? 'doomed' : 'work', [key, ms]] as const);
  write('attempt', { key });
  const job = await insist(
    key,
    () => queue.enqueue(fn, args as never, options) as Promise<Job>,
    ({ id }) => {
      // As the error's documentation says.
      Object.assign(options, { id, unique: 'kept' });
      return true;
    },
  );
  if (job) write('accept', { key, id: job.id, more: job.duplicate ? 'duplicate' : '' });
  return job;
}

async function cancel({ key, cancelAfterMs }: Planned, job: Job): Promise<void> {
  await pause(cancelAfterMs);
  write('cancel', { key, id: job.id });
  const done = await insist(key, () => job.cancel());
  write('cancelled', { key, id: job.id, more: String(done) });
}

async function awaitResult({ key }: Planned, job: Job): Promise<void> {
  const timeout = 5_000;
  const result = await insist(key, () => job.result({ timeout }), undefined, timeout);
  write('result', { key, id: job.id, more: JSON.stringify(result) });
}

async function produce(plan: Planned): Promise<void> {
  if (isFlowKind(plan.kind)) return enqueueFlow(plan);
  const again = plan.kind === 'twice' ? enqueue(plan) : undefined;
  const job = await enqueue(plan);
  await again;
  if (!job) return;
  if (plan.kind === 'cancelled') await cancel(plan, job);
  if (plan.kind === 'awaited') await awaitResult(plan, job);
}

/** A machine too slow for the rate is not to drown: that would be no news about minq. @returns for how long it held */
async function holdBack(): Promise<number> {
  const began = performance.now();
  const isFull = async () => {
    const { queued = 0 } = (await insist('counts', () => queue.counts())) ?? {};
    return queued > MOST_QUEUED;
  };
  while (!over && (await isFull())) await pause(PAUSE_MS);
  return performance.now() - began;
}

let over = false;
void untilAsked().then(() => (over = true));

await insist('schedule', () =>
  queue.schedule('tick', { every: '1s', catchUp: 'all', fn: 'tick', args: [] }),
);
process.send!('ready');
const underWay = new Set<Promise<void>>();
let startedAt = performance.now();
for (let n = 0; !over; n++) {
  if (n % LOOK_EVERY === 0) startedAt += await holdBack();
  const due = startedAt + (n * 1_000) / settings.perSecond;
  if (due > performance.now()) await pause(due - performance.now());
  if (over) break;
  const one = produce(planned(settings.seed, n)).finally(() => underWay.delete(one));
  underWay.add(one);
}
await insist('unschedule', () => queue.unschedule('tick')); // first: as long as it ticks, something goes on
await Promise.all(underWay);
await queue.close();
write('done');
process.disconnect();
