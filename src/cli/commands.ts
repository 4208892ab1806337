/**
 * All commands, and what a command line comes to. Exit codes: 0 done, 1 failed, 2 wrong usage. An error is one line, unless
 * `--verbose`.
 */
import { describeError } from '../job/codec.ts';
import { InvalidArgumentError } from '../job/errors.ts';
import { escapeControls, lineLogger } from '../job/log.ts';
import { VERSION } from '../job/version.ts';
import { runCommand, WRONG_USAGE, type Command } from './command.ts';

const act = () => import('./act.ts');

/** Loaded when asked for: a worker doesn't need what `dev` needs, and `--help` none of it. */
const COMMANDS: Record<string, [summary: string, load: () => Promise<Command>]> = {
  worker: ['run the jobs of a file', async () => (await import('./worker.ts')).worker],
  dev: [
    'worker in watch mode and dashboard, with a Redis if none is there',
    async () => (await import('./dev.ts')).dev,
  ],
  dashboard: [
    'pages that show it all, and act on it',
    async () => (await import('./dashboard.ts')).dashboard,
  ],
  enqueue: ['enqueue a job', async () => (await import('./enqueue.ts')).enqueue],
  job: ['show all that is known of a job', async () => (await import('./job.ts')).job],
  jobs: ['list the jobs of one state', async () => (await import('./jobs.ts')).jobs],
  errors: ['show what fails, by kind of error', async () => (await import('./errors.ts')).errors],
  stats: [
    'show how the queues stand, once or live',
    async () => (await import('./stats.ts')).stats,
  ],
  workers: [
    'show who works, and on what; ask, resize or stop them',
    async () => (await import('./workers.ts')).workers,
  ],
  cron: [
    'show the cron entries; run, pause, resume one; say when an expression falls due',
    async () => (await import('./cron.ts')).cron,
  ],
  check: [
    'tell whether all is well: workers, waiting jobs, Redis',
    async () => (await import('./check.ts')).check,
  ],
  retry: ['run a failed job again, or all of them', async () => (await import('./retry.ts')).retry],
  run: ['run a scheduled job now', async () => (await act()).run],
  cancel: ['cancel a job', async () => (await act()).cancel],
  remove: ['remove a job without a trace', async () => (await act()).remove],
  purge: ['remove all jobs of one state', async () => (await import('./retry.ts')).purge],
  pause: ['let no worker start jobs of a queue', async () => (await act()).pause],
  resume: ['let workers start them again', async () => (await act()).resume],
  limit: ['limit a queue: a rate, jobs at once', async () => (await act()).limit],
  unschedule: ['remove a cron entry', async () => (await act()).unschedule],
  repair: ['put back jobs that lie in no place', async () => (await act()).repair],
  forget: ['remove a queue that is used no more', async () => (await act()).forget],
};

const HELP = `minq ${VERSION}: background jobs on Redis

Usage: minq <command> [options]

Commands:
${Object.entries(COMMANDS)
  .map(([name, [summary]]) => `  ${name.padEnd(12)}${summary}`)
  .join('\n')}

  minq help <command>     options of a command
  minq --version

Redis is taken from MINQ_REDIS_URL, then REDIS_URL, then redis://127.0.0.1:6379. A cluster is given as
redis+cluster://host1:6379,host2:6379 and a master with sentinels as redis+sentinel://host1:26379,host2:26379/name;
rediss instead of redis speaks TLS (NODE_EXTRA_CA_CERTS names a file with a CA of your own).
`;

/** Does what the command line says. @returns the exit code */
export async function commandLine(argv: string[]): Promise<number> {
  try {
    return await dispatch(argv);
  } catch (error) {
    report(error, { json: argv.includes('--json'), verbose: argv.includes('--verbose') });
    return error instanceof InvalidArgumentError ? WRONG_USAGE : 1;
  }
}

async function dispatch([name, ...rest]: string[]): Promise<number> {
  if (name === 'help' && rest[0] !== undefined) return dispatch([rest[0], '--help']);
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    process.stdout.write(HELP);
    return name === undefined ? WRONG_USAGE : 0;
  }
  if (name === '--version' || name === '-v') {
    process.stdout.write(`${VERSION}\n`);
    return 0;
  }
  if (!Object.hasOwn(COMMANDS, name)) {
    throw new InvalidArgumentError(
      `unknown command "${name}"; known are ${Object.keys(COMMANDS).join(', ')}`,
    );
  }
  const [, load] = COMMANDS[name]!;
  return runCommand(await load(), rest);
}

/** One line, unless `--verbose` asks for the stack. */
function report(error: unknown, { json, verbose }: { json: boolean; verbose: boolean }): void {
  const { message } = describeError(error);
  const stack = verbose ? stackOf(error) : undefined;
  if (json) return lineLogger({ json }).error(message, { stack });
  process.stderr.write(`minq: ${escapeControls(message)}\n`);
  if (stack) process.stderr.write(`${stack.split('\n').map(escapeControls).join('\n')}\n`);
}

/** The stack of the error, and of what caused it. */
function stackOf(error: unknown): string {
  const { message, stack = message } = describeError(error);
  const cause = error instanceof Error ? error.cause : undefined;
  return cause === undefined ? stack : `${stack}\ncaused by ${stackOf(cause)}`;
}
