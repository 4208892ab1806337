import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { GATE, inBulk } from './gated.ts';
import type { Scenario } from './scenario.ts';
import type { Done } from './worker-process.ts';

const SLOTS = 50;

export const WORKERS: readonly Scenario[] = [2, 4].map((processes) => ({
  name: `workers-${processes}`,
  title: `process no-op, ${processes} worker processes, ${SLOTS} at once each`,
  // It has nothing that would wake a worker in another process.
  without: ['floor'],
  long: true,
  async prepare(lib, { library, url, onEnd }) {
    const workers = await Promise.all(
      Array.from({ length: processes }, async () => {
        const worker = fork(path.join(import.meta.dirname, 'worker-process.ts'), [
          library,
          url,
          String(SLOTS),
        ]);
        await once(worker, 'message');
        return worker;
      }),
    );
    onEnd(() => Promise.all(workers.map(end)));
    const fill = inBulk((numbers) => lib.enqueueMany(numbers));
    return async (n, meter) => {
      const full = Promise.all(workers.map((worker) => once(worker, 'message')));
      await lib.enqueueMany(Array.from({ length: processes * SLOTS }, () => GATE));
      await full;
      await fill(n);
      await meter.start();
      const spent = allDone(workers, n);
      for (const worker of workers) worker.send('open');
      const cpuUs = await spent;
      await meter.stop();
      return { nodeCpuUs: cpuUs / n };
    };
  },
}));

/** @returns what the CPU of all of them was when they had run n jobs together */
function allDone(workers: readonly ChildProcess[], n: number): Promise<number> {
  const done = new Map<ChildProcess, Done>();
  const sum = (what: keyof Done) => [...done.values()].reduce((all, one) => all + one[what], 0);
  return new Promise((resolve) => {
    for (const worker of workers) {
      const hear = (said: Done) => {
        done.set(worker, said);
        if (sum('jobs') < n) return;
        for (const one of workers) one.removeAllListeners('message');
        resolve(sum('cpuUs'));
      };
      worker.on('message', hear);
    }
  });
}

async function end(worker: ChildProcess): Promise<void> {
  const exit = once(worker, 'exit');
  worker.disconnect();
  await exit;
}
