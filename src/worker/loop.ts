/**
 * Runs a task every so often: jittered, so that many workers don't act in step; never overlapping;
 * a failure is reported and doesn't end the loop; `stop` waits for a run that is under way. A task may say
 * itself, in ms, when it wants to run next.
 */
import { setTimeout, clearTimeout } from '../job/globals.ts';
import { describeError } from '../job/codec.ts';
import { LONGEST_TIMER_MS } from '../job/duration.ts';

export interface Loop {
  /** The next run begins now, or right after the one that is under way. */
  soon(): void;
  stop(): Promise<void>;
}

export interface LoopOptions {
  everyMs: number;
  /** Called with what the task threw. */
  onError: (error: unknown) => void;
  /** Run at once too, not only after the first interval. */
  immediately?: boolean;
}

export function startLoop(task: () => Promise<number | void>, options: LoopOptions): Loop {
  let stopped = false;
  let running: Promise<void> = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;

  const next = (inMs: number | void) => {
    if (stopped) return;
    const jittered = options.everyMs * (0.9 + 0.2 * Math.random());
    timer = setTimeout(run, Math.min(inMs ?? jittered, LONGEST_TIMER_MS));
  };
  const run = () => {
    running = task()
      .catch((error: unknown) => {
        options.onError(error);
      })
      .then(next);
  };
  if (options.immediately) run();
  else next();

  return {
    soon() {
      const last = running;
      void last.then(() => {
        if (stopped || running !== last) return; // a run has begun since: that is soon enough
        clearTimeout(timer);
        run();
      });
    },
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}

/** The same message again and again, as from a reconnect loop, is said once until another comes. */
export function reportOnce(report: (error: unknown) => void): (error: unknown) => void {
  let last = '';
  return (error) => {
    const { message } = describeError(error);
    if (message === last) return;
    last = message;
    report(error);
  };
}

/** Resolves when one of the promises does, or after `ms`. */
export async function within(ms: number, ...promises: Promise<unknown>[]): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, Math.min(ms, LONGEST_TIMER_MS));
  });
  await Promise.race([...promises, timeout]);
  clearTimeout(timer);
}
