#!/usr/bin/env node
/**
 * `npx minq <command>`. Exit codes: 0 done, 1 failed, 2 wrong usage. An error is one line, unless `--verbose`.
 */
import type { Command } from './command.ts';
import { runCommand } from './command.ts';
import { UsageError, WRONG_USAGE } from './usage.ts';
import { describeError } from '../job/codec.ts';
import { InvalidArgumentError } from '../job/errors.ts';
import { escapeControls, lineLogger } from '../job/log.ts';
import { VERSION } from '../job/version.ts';

/** Loaded when asked for: a worker doesn't need what `dev` needs, and `--help` none of it. */
const COMMANDS: Record<string, { summary: string; load: () => Promise<Command> }> = {
  worker: {
    summary: 'run the jobs of a file',
    load: async () => (await import('./worker.ts')).worker,
  },
  dev: {
    summary: 'worker in watch mode and dashboard, with a Redis if none is there',
    load: async () => (await import('./dev.ts')).dev,
  },
  dashboard: {
    summary: 'pages that show it all, and act on it',
    load: async () => (await import('./dashboard.ts')).dashboard,
  },
  enqueue: {
    summary: 'enqueue a job',
    load: async () => (await import('./enqueue.ts')).enqueue,
  },
  job: {
    summary: 'show all that is known of a job',
    load: async () => (await import('./job.ts')).job,
  },
  jobs: {
    summary: 'list the jobs of one state',
    load: async () => (await import('./jobs.ts')).jobs,
  },
  stats: {
    summary: 'show how the queues stand, once or live',
    load: async () => (await import('./stats.ts')).stats,
  },
  workers: {
    summary: 'show who works, and on what',
    load: async () => (await import('./workers.ts')).workers,
  },
  cron: {
    summary: 'show the cron entries, or run one now',
    load: async () => (await import('./cron.ts')).cron,
  },
  check: {
    summary: 'tell whether all is well: workers, waiting jobs, Redis',
    load: async () => (await import('./check.ts')).check,
  },
  retry: {
    summary: 'run a failed job again, or all of them',
    load: async () => (await import('./retry.ts')).retry,
  },
  cancel: {
    summary: 'cancel a job',
    load: async () => (await import('./cancel.ts')).cancel,
  },
  remove: {
    summary: 'remove a job without a trace',
    load: async () => (await import('./remove.ts')).remove,
  },
  purge: {
    summary: 'remove all jobs of one state',
    load: async () => (await import('./purge.ts')).purge,
  },
  pause: {
    summary: 'let no worker start jobs of a queue',
    load: async () => (await import('./pause.ts')).pause,
  },
  resume: {
    summary: 'let workers start them again',
    load: async () => (await import('./pause.ts')).resume,
  },
};

const HELP = `minq ${VERSION}: background jobs on Redis

Usage: minq <command> [options]

Commands:
${Object.entries(COMMANDS)
  .map(([name, { summary }]) => `  ${name.padEnd(12)}${summary}`)
  .join('\n')}

  minq <command> --help   options of a command
  minq --version

Redis is taken from MINQ_REDIS_URL, then REDIS_URL, then redis://127.0.0.1:6379. A cluster is given as
redis+cluster://host1:6379,host2:6379 and a master with sentinels as redis+sentinel://host1:26379,host2:26379/name;
rediss instead of redis speaks TLS (NODE_EXTRA_CA_CERTS names a file with a CA of your own).
`;

async function main(argv: string[]): Promise<number> {
  const [name, ...rest] = argv;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    process.stdout.write(HELP);
    return name === undefined ? WRONG_USAGE : 0;
  }
  if (name === '--version' || name === '-v') {
    process.stdout.write(`${VERSION}\n`);
    return 0;
  }
  const found = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!found) {
    throw new UsageError(
      `unknown command "${name}"; known are ${Object.keys(COMMANDS).join(', ')}`,
    );
  }
  return runCommand(await found.load(), rest);
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

// Whoever reads our output may go away; a worker's jobs go on.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

const argv = process.argv.slice(2);
try {
  process.exitCode = await main(argv);
} catch (error) {
  report(error, { json: argv.includes('--json'), verbose: argv.includes('--verbose') });
  const usage = error instanceof UsageError || error instanceof InvalidArgumentError;
  process.exitCode = usage ? WRONG_USAGE : 1;
}
// What a jobs file left open (a timer, a pool), or a job that ignores its signal, must not keep the process.
setTimeout(() => process.exit(), 100).unref();
