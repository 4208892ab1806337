/**
 * Keeps the leases of all running jobs alive, in one call; tells the jobs whose lease was lost or that
 * somebody wants cancelled; says that the worker is there, and what it has counted.
 */
import { startLoop, type Loop } from './loop.ts';
import type { Store } from '../store/store.ts';
import type { Run } from './executor.ts';
import type { Timings } from './timings.ts';

/** A worker with nothing to renew says this seldom that it is there; one that beats has the beat to renew. */
const IDLE_PRESENCE_MS = 20_000;
const BEATING_PRESENCE_MS = 8_000;
const MOST_APART_MS = 5_000;

export interface HeartbeatOptions {
  store: Store;
  leaseMs: number;
  /** Runs whose tickets the worker holds, settled ones not among them. */
  held: () => ReadonlyMap<string, Run>;
  /** What `workers()` shows, as JSON. */
  presence: () => string;
  timings: Timings;
  app: string;
  beating: () => boolean;
  /** Hears of the first tick of cron that Redis knows (epoch ms, -1: none), and whether it knows the app. */
  onCron: (tick: number, appKnown: boolean) => void;
  onLost: (run: Run, why: 'lost' | 'gone') => void;
  onError: (error: unknown) => void;
}

export function startHeartbeat(options: HeartbeatOptions): Loop {
  const { store, leaseMs, timings } = options;
  const told = new WeakSet<Run>();
  let presentAt = -Infinity;

  const beat = async () => {
    const held = options.held();
    const tickets = [...held].filter(([, run]) => !told.has(run)).map(([ticket]) => ticket);
    const seldom = options.beating() ? BEATING_PRESENCE_MS : IDLE_PRESENCE_MS;
    const quiet = tickets.length === 0 && timings.empty;
    if (quiet && performance.now() - presentAt < seldom) return;
    const counted = timings.take();
    const { lost, unwanted, tick, appKnown } = await store.heartbeat(
      options.presence(),
      leaseMs,
      tickets,
      options.app,
      counted,
    );
    timings.sent(counted);
    presentAt = performance.now();
    options.onCron(tick, appKnown);
    for (const { ticket, why } of lost) {
      // A ticket settled while the heartbeat was under way is not lost, it is done.
      const run = held.get(ticket);
      if (!run || run.decided) continue;
      told.add(run);
      options.onLost(run, why);
      run.loseLease();
    }
    for (const ticket of unwanted) held.get(ticket)?.cancel();
  };
  const everyMs = Math.min(leaseMs / 3, MOST_APART_MS);
  return startLoop(beat, { everyMs, onError: options.onError, immediately: true });
}
