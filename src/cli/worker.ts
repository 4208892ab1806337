/** `minq worker <file>`: one process that works; with --processes or --watch, a supervisor of such processes. */
import { checkName } from '../job/names.ts';
import { jobsPath } from '../worker/load.ts';
import { lineLogger } from '../job/log.ts';
import { numberOption, toNumber, type Command, type Values } from './command.ts';
import type { MetricsAddress } from './metrics.ts';
import { insideSupervisor, processIndex, supervise } from './supervisor.ts';
import { UsageError } from './usage.ts';
import { work, type QueueChoice } from './work.ts';

export const worker: Command = {
  help: `Usage: minq worker <file> [options]

Runs the functions that <file> (TypeScript or JavaScript) exports, when they are enqueued.

  --queue name[=n]   a queue to work on, with n jobs at once; may be repeated (default: default)
  --concurrency n    jobs at once for each queue without a number of its own (default 10)
  --processes n      run n such processes, and start one again when it dies
  --burst            stop when nothing is left to run now
  --watch            start again when a file changes
  --metrics-port n   tell Prometheus of this process at http://127.0.0.1:n/metrics; the processes of --processes
                     take the ports n, n+1, ... (the dashboard's /metrics tells of the queues)
  --metrics-host h   the address for it, e.g. 0.0.0.0 where Prometheus is on another host
  --no-cron          leave the file's cron entries to other workers (they fire on the first of the queues)
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
    'metrics-port': { type: 'string' },
    'metrics-host': { type: 'string' },
    'no-cron': { type: 'boolean' },
  },
  positionals: [1, 1],
  async run(values, [file]) {
    const full = jobsPath(file!);
    const queues = readQueues(values);
    const processes = numberOption(values, 'processes') ?? 1;
    if (processes < 1 || processes > 256) {
      throw new UsageError('--processes: give a number from 1 to 256');
    }
    const metrics = readMetrics(values, processes);
    const watch = values['watch'] === true;
    const burst = values['burst'] === true;
    const cron = values['no-cron'] !== true;
    if (watch && burst) throw new UsageError('--watch and --burst exclude each other');
    const logger = lineLogger({
      json: values['json'] === true,
      verbose: values['verbose'] === true,
    });
    return (watch || processes > 1) && !insideSupervisor()
      ? supervise({ processes, watch, burst, logger })
      : work(full, queues, { burst, cron, metrics, logger });
  },
};

/** Where this process answers Prometheus. */
function readMetrics(values: Values, processes: number): MetricsAddress | undefined {
  const port = numberOption(values, 'metrics-port');
  const host = values['metrics-host'] as string | undefined;
  if (port === undefined) {
    if (host === undefined) return undefined;
    throw new UsageError('--metrics-host: give --metrics-port too');
  }
  if (host === '') throw new UsageError('--metrics-host: give an address, e.g. 0.0.0.0');
  const last = 65_536 - processes;
  if (port < 1 || port > last) {
    const why = processes > 1 ? ` (${processes} processes take a port each)` : '';
    throw new UsageError(`--metrics-port: ${port}: give a number from 1 to ${last}${why}`);
  }
  return { host: host ?? '127.0.0.1', port: port + processIndex() };
}

function readQueues(values: Values): QueueChoice[] {
  const concurrency = numberOption(values, 'concurrency');
  const named = (values['queue'] as string[] | undefined) ?? ['default'];
  const choices = named.map((text) => {
    const equals = text.indexOf('=');
    const name = equals < 0 ? text : text.slice(0, equals);
    const number = equals < 0 ? concurrency : toNumber(text.slice(equals + 1), `--queue ${name}`);
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
