/** The command line without a process of its own: for the many cases of a command. `test/cli/process.test.ts` has the processes. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { commandLine } from '../../src/cli/commands.ts';
import type { Ended, MinqOptions } from './cli.ts';

interface Process {
  env: Record<string, string>;
  stdout: string;
  stderr: string;
}

/** What stands for the process, for whatever a command does. Others, such as the test runner, have the real one. */
const processes = new AsyncLocalStorage<Process>();

process.env = new Proxy(process.env, {
  get: (env, name: string) => processes.getStore()?.env[name] ?? env[name],
});

for (const name of ['stdout', 'stderr'] as const) {
  const stream = process[name];
  const write = stream.write.bind(stream) as (...given: unknown[]) => boolean;
  stream.write = (text: string | Uint8Array, ...rest: unknown[]) => {
    const mine = processes.getStore();
    if (!mine) return write(text, ...rest);
    mine[name] += String(text);
    (rest.at(-1) as (() => void) | undefined)?.();
    return true;
  };
  const { isTTY } = stream;
  Object.defineProperty(stream, 'isTTY', { get: () => !processes.getStore() && isTTY });
}

/** What `minq <args>` writes, and its exit code. */
export async function command(
  args: readonly string[],
  { redis, env = {} }: Pick<MinqOptions, 'redis' | 'env'> = {},
): Promise<Ended> {
  const own = { env: { ...(redis && { MINQ_REDIS_URL: redis }), ...env }, stdout: '', stderr: '' };
  const code = await processes.run(own, () => commandLine([...args]));
  return { code, signal: null, stdout: own.stdout, stderr: own.stderr };
}
