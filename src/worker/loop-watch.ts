/**
 * Watches the event loop. On one loop a function that computes for long without an `await` holds up every other job,
 * the heartbeats among them: the failure users meet first, and the one that shows least.
 *
 * A timer that comes late says that the loop was blocked, and for how long. Which job it was is known for certain
 * where it blocked before its first `await`; else it is one of those that ran.
 */
import { performance, now, setInterval, clearInterval } from '../job/globals.ts';
import { BOUNDS_MS, bucketOf, type Histogram } from '../store/buckets.ts';
import type { Logger } from '../job/log.ts';
import type { Timings } from './timings.ts';

/** What is worth a line in the log. */
export const BLOCKED_MS = 500;
const EVERY_MS = 50;
/** Most jobs named where it can only be one of them. */
const MOST_NAMED = 5;

interface NamedJob {
  readonly id: string;
  readonly fn: string;
}

/** What is to be known of a run. */
interface Watched {
  readonly job: { readonly id: string };
  readonly fn: { readonly name: string };
}

export interface Block {
  /** Epoch ms. */
  readonly at: number;
  readonly ms: number;
  readonly jobs: NamedJob[];
}

export class LoopWatch {
  /** When a job was known for certain to have blocked the loop, by `performance.now()`: of any worker of this process. */
  static #certainAt = -Infinity;
  readonly #running: Iterable<Watched>;
  readonly #timings: Timings;
  readonly #logger: Logger;
  #timer: NodeJS.Timeout | undefined;
  #expected = Infinity;
  #cpu = process.cpuUsage();
  #late: number[] = [];
  readonly #delays = { counts: Array.from(BOUNDS_MS, () => 0).concat(0), sumMs: 0 };
  readonly #blocks = { times: 0, ms: 0 };
  #culprits: Watched[] = [];
  #ended: Watched[] = [];
  #last: Block | undefined;

  /** @param running those whose functions have not returned */
  constructor(running: Iterable<Watched>, timings: Timings, logger: Logger) {
    this.#running = running;
    this.#timings = timings;
    this.#logger = logger;
  }

  start(): void {
    this.#expected = performance.now() + EVERY_MS;
    this.#cpu = process.cpuUsage();
    this.#timer = setInterval(() => this.#look(), EVERY_MS).unref();
  }

  /** A job ran this long without giving way. */
  held(run: Watched, ms: number): void {
    if (ms < BLOCKED_MS) return;
    this.#culprits.push(run);
    LoopWatch.#certainAt = performance.now();
  }

  /** A job ended that ran this long in all. */
  ran(run: Watched, ms: number): void {
    if (ms >= BLOCKED_MS) this.#ended.push(run);
  }

  #look(): void {
    const now = performance.now();
    const lateMs = Math.max(0, now - this.#expected);
    this.#late.push(lateMs);
    this.#delays.counts[bucketOf(lateMs)]!++;
    this.#delays.sumMs += lateMs;
    const cpu = process.cpuUsage();
    if (lateMs >= BLOCKED_MS) this.#report(lateMs, cpu);
    this.#expected = now + EVERY_MS;
    this.#cpu = cpu;
    this.#culprits = [];
    this.#ended = [];
  }

  #suspects(): Watched[] {
    if (this.#culprits.length > 0) return this.#culprits;
    const lookedAt = this.#expected - EVERY_MS;
    if (LoopWatch.#certainAt >= lookedAt) return []; // it was a job of another worker
    return [...this.#ended, ...this.#running].slice(0, MOST_NAMED);
  }

  #report(lateMs: number, cpu: NodeJS.CpuUsage): void {
    const ms = Math.round(lateMs);
    const jobs = this.#suspects().map((run) => ({ id: run.job.id, fn: run.fn.name }));
    this.#last = { at: now(), ms, jobs };
    this.#blocks.times++;
    this.#blocks.ms += ms;
    this.#timings.blocked(ms);
    const cpuMs = (cpu.user - this.#cpu.user + cpu.system - this.#cpu.system) / 1_000;
    const text = jobs.map(({ id, fn }) => `${fn} ${id}`).join(', ');
    this.#logger.warn('event loop blocked', {
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

  /** Since the start: how late timers were, and how often the loop was blocked and for how long in all. */
  totals(): { delays: Histogram; blocks: { times: number; ms: number } } {
    return { delays: this.#delays, blocks: this.#blocks };
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

const round = (ms: number) => Math.round(ms * 10) / 10;
