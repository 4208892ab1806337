/** Jobs that do what jobs do: wait for a socket, read a file. The server they ask has a process of its own. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import path from 'node:path';
import { gated } from './gated.ts';
import type { Scenario, Surroundings } from './scenario.ts';

const AT_ONCE = 100;

export const IO: readonly Scenario[] = [
  io('io-10ms', 'jobs of 10 ms on a socket, 100 at once', ({ ask }) => {
    return () => ask(10);
  }),
  io('io-mixed', 'jobs of 1-20 ms on a socket and a file, 100 at once', ({ ask }) => {
    return async (i) => {
      await ask(1 + ((i * 7) % 20));
      await readFile(import.meta.filename);
    };
  }),
];

interface Server {
  /** Resolves with its answer, which takes so long. */
  readonly ask: (ms: number) => Promise<void>;
}

function io(
  name: string,
  title: string,
  jobWith: (server: Server) => (i: number) => Promise<void>,
): Scenario {
  return {
    name,
    title,
    // The ideal is the floor here: the loop of that name waits for the slowest of each batch.
    without: ['floor'],
    long: true,
    size: { full: 20_000, quick: 300 },
    loopDelay: true,
    async prepare(lib, about) {
      const job = jobWith(await startServer(about));
      const batch = await gated(lib, {
        concurrency: AT_ONCE,
        async run(i, ran) {
          await job(i);
          ran();
          return i;
        },
      });
      return async (n, meter) => {
        const ideal = await bareRate(n, job);
        let [startedAt, stoppedAt] = [0, 0];
        await batch(n, {
          async start() {
            await meter.start();
            startedAt = performance.now();
          },
          async stop() {
            stoppedAt = performance.now();
            await meter.stop();
          },
        });
        return { ofIdeal: n / ((stoppedAt - startedAt) / 1_000) / ideal };
      };
    },
  };
}

/** Jobs per second of the same work, as many at once, without a queue. */
async function bareRate(n: number, job: (i: number) => Promise<void>): Promise<number> {
  let next = 0;
  const slot = async () => {
    while (next < n) await job(next++);
  };
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: AT_ONCE }, slot));
  return n / ((performance.now() - startedAt) / 1_000);
}

async function startServer({ onEnd }: Surroundings): Promise<Server> {
  const child = fork(path.join(import.meta.dirname, 'io-server.ts'));
  const [port] = (await once(child, 'message')) as [number];
  const free: Socket[] = [];
  for (let i = 0; i < AT_ONCE; i++) {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    free.push(socket);
  }
  onEnd(() => {
    for (const socket of free) socket.destroy();
    child.disconnect();
  });
  return {
    ask: (ms) =>
      new Promise((resolve) => {
        const socket = free.pop()!;
        socket.once('data', () => {
          free.push(socket);
          resolve();
        });
        socket.write(`${ms}\n`);
      }),
  };
}
