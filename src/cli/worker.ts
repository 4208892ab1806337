/** `minq worker <file>`: one process that works; with --processes or --watch, a supervisor of such processes. */
import { describeError } from '../codec.ts';
import { checkName } from '../keys.ts';
import { loadJobs } from '../load.ts';
import { lineLogger, type Logger } from '../log.ts';
import { Worker } from '../worker.ts';
import { runs } from '../worker/context.ts';
import { numberOption, toNumber, type Command, type Values } from './command.ts';
import { insideSupervisor, sendFiles, supervise } from './supervisor.ts';
import { UsageError } from './usage.ts';

export const worker: Command = {
  help: `Usage: minq worker <file> [options]

Runs the functions that <file> (TypeScript or JavaScript) exports, when they are enqueued.

  --queue name[=n]   a queue to work on, with n jobs at once; may be repeated (default: default)
  --concurrency n    jobs at once for each queue without a number of its own (default 10)
  --processes n      run n such processes, and start one again when it dies
  --burst            stop when nothing is left to run now
  --watch            start again when a file changes
  --json             log in JSON, a line each
  --verbose          log more

SIGTERM and SIGINT: claims no more, waits up to 25 s for running jobs, gives the rest back, exits with 0.
A second one: gives all back at once and exits with 1.
`,
  options: {
    queue: { type: 'string', multiple: true },
    concurrency: { type: 'string' },
    processes: { type: 'string' },
    burst: { type: 'boolean' },
    watch: { type: 'boolean' },
  },
  positionals: [1, 1],
  async run(values, [file]) {
    const queues = readQueues(values);
    const processes = numberOption(values, 'processes') ?? 1;
    if (processes < 1 || processes > 256)
      throw new UsageError('--processes: give a number from 1 to 256');
    const watch = values['watch'] === true;
    if (watch && values['burst']) throw new UsageError('--watch and --burst exclude each other');
    if (!insideSupervisor() && (watch || processes > 1)) {
      return supervise({ processes, watch, file: file!, logger: logger(values) });
    }
    return work(file!, queues, values['burst'] === true, logger(values));
  },
};

const logger = (values: Values): Logger =>
  lineLogger({ json: values['json'] === true, verbose: values['verbose'] === true });

interface QueueChoice {
  queue: string;
  concurrency?: number;
}

function readQueues(values: Values): QueueChoice[] {
  const concurrency = numberOption(values, 'concurrency');
  const named = (values['queue'] as string[] | undefined) ?? ['default'];
  const choices = named.map((text) => {
    const [name, own] = text.split('=', 2);
    const number = own === undefined ? concurrency : toNumber(own, `--queue ${name}`);
    return {
      queue: checkName(name, '--queue'),
      ...(number !== undefined && { concurrency: number }),
    };
  });
  if (new Set(choices.map(({ queue }) => queue)).size < choices.length) {
    throw new UsageError('--queue: the same queue is named twice');
  }
  return choices;
}

async function work(
  file: string,
  queues: QueueChoice[],
  burst: boolean,
  log: Logger,
): Promise<number> {
  sendFiles([file]); // should the file not load, a change to it is a new try
  const { exports, files } = await loadJobs(file);
  sendFiles(files);
  const workers = queues.map((choice) => new Worker(exports, { ...choice, burst, logger: log }));

  let exitCode = 0;
  let signals = 0;
  const stop = (reason: string) => {
    signals++;
    if (signals === 1) log.info(`${reason}: stopping; running jobs may finish`);
    else exitCode = 1;
    for (const each of workers) void each.stop(signals === 1 ? {} : { timeout: 0 });
  };
  const onSignal = (signal: string) => stop(signal);
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, onSignal);
  process.on('disconnect', () => stop('the supervisor is gone'));
  // An exception thrown outside any promise leaves this process in an unknown state: the job that threw it
  // fails, the others may finish, and whoever supervises us starts a fresh process.
  process.on('uncaughtException', (error) => {
    const run = runs.getStore();
    if (run) run.failFloating('uncaught exception', error);
    else log.error(`uncaught exception: ${describeError(error).message}`);
    exitCode = 1;
    if (signals === 0) stop('uncaught exception');
  });

  try {
    await Promise.all(workers.map((each) => each.run()));
  } catch (error) {
    for (const each of workers) void each.stop({ timeout: 0 });
    throw error;
  }
  // A job that ignores its signal, or left a timer or socket behind, must not keep the process.
  setTimeout(() => process.exit(exitCode), 100).unref();
  process.removeAllListeners('disconnect');
  if (process.connected) process.disconnect();
  return exitCode;
}
