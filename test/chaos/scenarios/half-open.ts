/** Nothing is closed, and nothing answers: the network swallows all, or the process of Redis stands still. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { MinqError } from '../../../src/job/errors.ts';
import type { Proxy } from '../../helpers/proxy.ts';
import type { Scenario } from '../scenario.ts';
import { onStand, sleep, type Stand } from '../stand.ts';

const DEADLINE_MS = 1_000;
/** What a call may take beyond its deadline, and a worker to go on. */
const GRACE_MS = 500;
const RESUMED_MS = 3_000;
/** An idle worker has its sleep to end first, which is no longer than its lease. */
const IDLE_MS = 7_000;

interface Fault {
  readonly name: string;
  begin(stand: Stand, proxy: Proxy): void;
  end(stand: Stand, proxy: Proxy): void;
}

const FAULTS: readonly Fault[] = [
  {
    name: 'black hole',
    begin: (_, proxy) => void (proxy.swallow = ['requests', 'replies']),
    end: (_, proxy) => void (proxy.swallow = []),
  },
  {
    name: 'Redis stopped',
    begin: ({ redis }) => redis.signal('SIGSTOP'),
    end: ({ redis }) => redis.signal('SIGCONT'),
  },
];

export default {
  name: 'half-open',
  what: 'a black hole both ways, then Redis SIGSTOPped: nothing is closed, nothing answers',
  libraries: ['minq'],
  run: ({ full, say }) =>
    onStand(async (stand) => {
      const accepted: string[] = [];
      const recoveredMs: number[] = [];
      for (const fault of FAULTS) {
        const { busyMs, idleMs, ids } = await suffer(stand, fault, full ? 10_000 : 3_000, full);
        say(`${fault.name}: work went on after ${busyMs} ms, the idle worker after ${idleMs} ms`);
        recoveredMs.push(busyMs, idleMs);
        accepted.push(...ids);
      }
      return { accepted, recoveredMs };
    }),
} satisfies Scenario;

async function suffer(stand: Stand, fault: Fault, lastsMs: number, full: boolean) {
  const proxy = await stand.proxy();
  const through = { redis: proxy.url, callTimeout: DEADLINE_MS };
  // A worker that always has work, and one that has none until the end of the fault.
  const leases = full ? {} : { lease: 1_000 };
  const busy = stand.worker({ step: () => sleep(50) }, { ...through, ...leases, concurrency: 2 });
  const direct = stand.queue({ callTimeout: '30s' });
  const idle = stand.worker({ rare: () => 1 }, { ...through, ...leases, queue: 'idle' });
  const idleQueue = stand.queue({ callTimeout: '30s' }, 'idle');
  const many = await direct.enqueueMany(
    Array.from({ length: 120 }, () => ({ fn: 'step' as const, retries: 20 })),
  );
  const ids = many.flatMap((each) => (each.status === 'fulfilled' ? [each.value.id] : []));
  await stand.within(10_000, 'both work', async () => {
    return (await direct.counts()).completed > 0 && (await idleQueue.workers()).length === 1;
  });

  const caller = stand.queue(through);
  await caller.counts();
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  let longest = 0;
  let failed = 0;
  /** @param calls to Redis it makes one after the other, each with the deadline */
  const call = async (what: () => Promise<unknown>, calls: number) => {
    const started = performance.now();
    await what().catch((error: Error) => {
      failed++;
      stand.ensure(error instanceof MinqError, `a call ended with ${String(error)}`);
    });
    longest = Math.max(longest, performance.now() - started - calls * DEADLINE_MS);
  };
  fault.begin(stand, proxy);
  const began = performance.now();
  // Behind the worker's back: its token is swallowed, and nothing else will wake it.
  const rare = `rare-${fault.name.replaceAll(' ', '-')}`;
  const meanwhile = sleep(lastsMs / 2).then(() => idleQueue.enqueue('rare', [], { id: rare }));
  const calling: Promise<unknown>[] = [];
  while (performance.now() - began < lastsMs) {
    const asked = [
      call(() => caller.enqueue('none', [], { queue: 'unused' }), 1),
      call(() => caller.counts(), 1),
      call(() => caller.workers(), 1),
      call(() => caller.job('unknown').result(), 2), // to subscribe, and to look
    ];
    calling.push(...asked);
    await sleep(100);
  }
  fault.end(stand, proxy);
  const ended = performance.now();
  const done = stand.runs.size;
  const busyMs = await stand.within(RESUMED_MS, `${fault.name}: work goes on`, () => {
    return stand.runs.size > done + 2; // two slots: more than what had been claimed before
  });
  await stand.within(IDLE_MS, `${fault.name}: the idle worker takes what came meanwhile`, () => {
    return stand.runs.has(rare);
  });
  const idleMs = Math.round(performance.now() - ended);
  await Promise.all([...calling, meanwhile]);
  delay.disable();
  stand.ensure(failed > 0, `${fault.name}: no call met with the fault`);
  const late = longest - delay.max / 1e6; // what this process itself was late doesn't count
  stand.ensure(
    late < GRACE_MS,
    `${fault.name}: a call was pending for ${Math.round(longest)} ms beyond its deadline`,
  );
  await stand.within(60_000, `${fault.name}: all jobs are done`, async () => {
    return (await stand.unfinished(ids)).length === 0;
  });
  await Promise.all([busy.stop(), idle.stop()]);
  return { busyMs, idleMs, ids };
}
