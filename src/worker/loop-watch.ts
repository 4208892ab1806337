/**
 * Watches the event loop. On one loop a function that computes for long without an `await` holds up every other job,
 * the heartbeats among them: the failure users meet first, and the one that shows least.
 *
 * A timer that comes late says that the loop was blocked, and for how long. Which job it was is known for certain
 * where it blocked before its first `await`; else it is one of those that ran.
 */
import type { Logger } from '../log.ts';
import type { Run } from './executor.ts';

/** What is worth a line in the log. */
export const BLOCKED_MS = 500;
const EVERY_MS = 50;
/** Most jobs named where it can only be one of them. */
const MOST_NAMED = 5;

interface NamedJob {
  readonly id: string;
  readonly fn: string;
}

export interface Block {
  /** Epoch ms. */
  readonly at: number;
  readonly ms: number;
  readonly jobs: NamedJob[];
}

export interface LoopWatchOptions {
  logger: Logger;
  /** Those whose functions have not returned. */
  running: () => Iterable<Run>;
  onBlocked: (ms: number) => void;
}

export class LoopWatch {
  readonly #options: LoopWatchOptions;
  readonly #timer: NodeJS.Timeout;
  #expected = performance.now() + EVERY_MS;
  #cpu = process.cpuUsage();
  #late: number[] = [];
  #culprits: Run[] = [];
  #ended: Run[] = [];
  #last: Block | undefined;

  constructor(options: LoopWatchOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#look(), EVERY_MS).unref();
  }

  /** A job ran this long without giving way. */
  held(run: Run, ms: number): void {
    if (ms >= BLOCKED_MS) this.#culprits.push(run);
  }

  /** A job ended that ran this long in all. */
  ran(run: Run, ms: number): void {
    if (ms >= BLOCKED_MS) this.#ended.push(run);
  }

  #look(): void {
    const now = performance.now();
    const lateMs = Math.max(0, now - this.#expected);
    this.#late.push(lateMs);
    const cpu = process.cpuUsage();
    if (lateMs >= BLOCKED_MS) this.#report(lateMs, cpu);
    this.#expected = now + EVERY_MS;
    this.#cpu = cpu;
    this.#culprits = [];
    this.#ended = [];
  }

  #report(lateMs: number, cpu: NodeJS.CpuUsage): void {
    const ms = Math.round(lateMs);
    const named =
      this.#culprits.length > 0
        ? this.#culprits
        : [...this.#ended, ...this.#options.running()].slice(0, MOST_NAMED);
    const jobs = named.map((run) => ({ id: run.job.id, fn: run.fn.name }));
    this.#last = { at: Date.now(), ms, jobs };
    this.#options.onBlocked(ms);
    const cpuMs = (cpu.user - this.#cpu.user + cpu.system - this.#cpu.system) / 1_000;
    const text = jobs.map(({ id, fn }) => `${fn} ${id}`).join(', ');
    this.#options.logger.warn('event loop blocked', {
      ms,
      // Little of it: it waited (a synchronous call), or the process was stopped or got no CPU.
      cpuMs: Math.round(cpuMs),
      ...(jobs.length > 0 && { [jobs.length === 1 ? 'job' : 'oneOf']: text }),
    });
  }

  /** How late timers were since the last call, in ms, and the last block there was. */
  take(): { loop: { p50: number; p99: number; max: number }; blocked?: Block } {
    const sorted = this.#late.toSorted((a, b) => a - b);
    this.#late = [];
    const at = (q: number) => round(sorted[Math.ceil(q * sorted.length) - 1] ?? 0);
    return {
      loop: { p50: at(0.5), p99: at(0.99), max: at(1) },
      ...(this.#last && { blocked: this.#last }),
    };
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

const round = (ms: number) => Math.round(ms * 10) / 10;
