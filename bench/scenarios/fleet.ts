/** Worker processes that run no-op jobs together. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import type { Adapter } from '../adapters/adapter.ts';
import type { Meter } from '../meter.ts';
import { GATE, inBulk } from './gated.ts';
import type { Done } from './worker-process.ts';

interface Place {
  library: string;
  url: string;
  slots: number;
  /** Its name, where there are several. */
  queue?: string;
}

export class Fleet {
  readonly #workers: readonly ChildProcess[];
  readonly #slots: number;

  /** Resolves when all of them work. */
  static async start(places: readonly Place[]): Promise<Fleet> {
    const workers = await Promise.all(
      places.map(async ({ library, url, slots, queue }) => {
        const args = [library, url, String(slots), ...(queue ? [queue] : [])];
        const worker = fork(path.join(import.meta.dirname, 'worker-process.ts'), args);
        await once(worker, 'message');
        return worker;
      }),
    );
    return new Fleet(
      workers,
      places.reduce((all, { slots }) => all + slots, 0),
    );
  }

  constructor(workers: readonly ChildProcess[], slots: number) {
    this.#workers = workers;
    this.#slots = slots;
  }

  /**
   * Runs n jobs, an equal part of them from each of these queues; what is metered begins with every slot held
   * at the gate and all jobs waiting.
   * @returns what the CPU of all workers was
   */
  async run(queues: readonly Adapter[], n: number, meter: Meter): Promise<number> {
    const full = Promise.all(this.#workers.map((worker) => once(worker, 'message')));
    const held = Array.from({ length: this.#slots / queues.length }, () => GATE);
    for (const queue of queues) await queue.enqueueMany(held);
    await full;
    let put = 0;
    for (const [i, queue] of queues.entries()) {
      put += await inBulk((numbers) => queue.enqueueMany(numbers))(
        Math.round((n * (i + 1)) / queues.length) - put,
      );
    }
    await meter.start();
    const spent = this.#allDone(n);
    for (const worker of this.#workers) worker.send('open');
    const cpuUs = await spent;
    await meter.stop();
    return cpuUs;
  }

  async end(): Promise<void> {
    await Promise.all(
      this.#workers.map(async (worker) => {
        const exit = once(worker, 'exit');
        worker.disconnect();
        await exit;
      }),
    );
  }

  #allDone(n: number): Promise<number> {
    const done = new Map<ChildProcess, Done>();
    const sum = (what: keyof Done) => [...done.values()].reduce((all, one) => all + one[what], 0);
    return new Promise((resolve) => {
      for (const worker of this.#workers) {
        const hear = (said: Done) => {
          done.set(worker, said);
          if (sum('jobs') < n) return;
          for (const one of this.#workers) one.removeAllListeners('message');
          resolve(sum('cpuUs'));
        };
        worker.on('message', hear);
      }
    });
  }
}
