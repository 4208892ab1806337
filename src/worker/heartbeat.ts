/**
 * Keeps the leases of all running jobs alive, in one call; tells the jobs whose lease was lost or that
 * somebody wants cancelled; says that the worker is there, and what it has counted.
 */
import { performance } from '../job/globals.ts';
import { startLoop, type Loop } from './loop.ts';
import type { Store } from '../store/store.ts';
import type { Logger } from '../job/log.ts';
import type { Beat } from './beat.ts';
import type { Run } from './executor.ts';
import type { Orders } from './orders.ts';
import type { Slots } from './slots.ts';
import type { Timings } from './timings.ts';

/** A worker with nothing to renew says this seldom that it is there; one that beats has the beat to renew. */
const IDLE_PRESENCE_MS = 20_000;
const BEATING_PRESENCE_MS = 8_000;
const MOST_APART_MS = 5_000;

const LOST = {
  lost: 'lease lost: another worker may run the job by now',
  gone: 'job vanished: its record is gone from Redis',
};

export interface HeartbeatOptions {
  store: Store;
  leaseMs: number;
  slots: Slots;
  timings: Timings;
  /** Undefined of a worker that fires no cron entries. */
  beat: Beat | undefined;
  logger: Logger;
  presence: () => string;
  orders: Orders;
  onError: (error: unknown) => void;
}

export function startHeartbeat(options: HeartbeatOptions): Loop {
  const { store, leaseMs, slots, timings, beat, logger, orders } = options;
  const told = new WeakSet<Run>();
  let presentAt = -Infinity;
  let saidBusy = false;
  let answered = orders.answered;

  const say = async () => {
    const held = slots.held();
    const tickets = [...held].filter(([, run]) => !told.has(run)).map(([ticket]) => ticket);
    const seldom = beat?.mine ? BEATING_PRESENCE_MS : IDLE_PRESENCE_MS;
    // A slot may be taken without a ticket: by a function that goes on after its timeout.
    const quiet = tickets.length === 0 && timings.empty && slots.busy === 0 && !saidBusy;
    const answering = orders.answered;
    if (quiet && answering === answered && performance.now() - presentAt < seldom) return;
    const counted = timings.take();
    saidBusy = slots.busy > 0;
    const { lost, unwanted, tick, appKnown } = await store.heartbeat(
      options.presence(),
      leaseMs,
      tickets,
      beat?.app,
      counted,
    );
    timings.sent(counted);
    presentAt = performance.now();
    answered = answering;
    beat?.heard(tick, appKnown);
    for (const { ticket, why } of lost) {
      // A ticket settled while the heartbeat was under way is not lost, it is done.
      const run = held.get(ticket);
      if (!run || run.decided) continue;
      told.add(run);
      if (why === 'lost') slots.leasesLost++;
      logger.warn(LOST[why], { id: run.job.id, fn: run.fn.name });
      run.loseLease();
    }
    for (const ticket of unwanted) held.get(ticket)?.cancel();
  };
  const everyMs = Math.min(leaseMs / 3, MOST_APART_MS);
  return startLoop(say, { everyMs, onError: options.onError, immediately: true });
}
