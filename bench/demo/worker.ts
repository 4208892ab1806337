/** The demo's worker: a process of its own, started with minq's command line as in production. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const CLI = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const JOBS = fileURLToPath(new URL('jobs.ts', import.meta.url));
/** More than the worker itself takes to give its jobs back. */
const STOP_MS = 30_000;
const LOG_CHARACTERS = 2_000;

/** A worker that has begun stops by itself at these; one that they end had not, and neither had the demo. */
const ASKED: NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** Somebody wants the demo to stop. */
export class Interrupted extends Error {}

export interface WorkerProcess {
  /** Asks it to stop, as an orchestrator would. Rejects unless it ends well. */
  stop(): Promise<void>;
}

/** @param onDeath told when it ends unasked */
export function startWorker(
  url: string,
  queue: string,
  onDeath: (error: Error) => void,
): WorkerProcess {
  const child = spawn(process.execPath, [CLI, 'worker', JOBS, '--queue', queue], {
    env: { ...process.env, MINQ_REDIS_URL: url },
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true, // Ctrl-C reaches us alone; the worker is stopped in its turn
  });
  let log = ''; // a line for each start and end of a job; the last ones, should something go wrong
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log = (log + text).slice(-LOG_CHARACTERS);
  });
  let stopping = false;
  const ended = new Promise<Error | undefined>((resolve) => {
    child.once('error', resolve);
    child.once('close', (code, signal) => {
      if (code === 0 && stopping) resolve(undefined);
      else if (signal && ASKED.includes(signal)) resolve(new Interrupted());
      else resolve(new Error(`the worker ended with ${signal ?? code}:\n${log}`));
    });
  });
  void ended.then((problem) => {
    if (!stopping) onDeath(problem!);
  });
  const kill = () => void child.kill('SIGKILL');
  process.once('exit', kill);

  return {
    async stop() {
      stopping = true;
      child.kill('SIGTERM');
      const timer = setTimeout(kill, STOP_MS);
      const problem = await ended;
      clearTimeout(timer);
      process.off('exit', kill);
      if (problem && !(problem instanceof Interrupted)) throw problem;
    },
  };
}
