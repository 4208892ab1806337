/** `minq worker <file>`: one process that works; with --processes or --watch, a supervisor of such processes. */
import { InvalidArgumentError } from '../job/errors.ts';
import { checkName } from '../job/names.ts';
import { toMs } from '../job/duration.ts';
import { markConfig } from '../job/checks.ts';
import { jobsPath } from '../worker/load.ts';
import type { WorkerOptions } from '../worker/worker.ts';
import { lineLogger } from '../job/log.ts';
import { toNumber, type Command, type Given } from './command.ts';
import type { Address } from './listen.ts';
import type { Probing } from './probes.ts';
import { insideSupervisor, processIndex } from './process.ts';
import { settingsOf, type Settings } from './settings.ts';
import { supervise } from './supervisor.ts';
import type { QueueChoice } from './work.ts';

export const worker: Command = {
  help: `Usage: minq worker [<file>...] [options]

Runs the functions that the files (TypeScript or JavaScript) export, when they are enqueued. Without one, those that the
config file names as jobs.

  --queue name[=n]   a queue to work on, with n jobs at once; may be repeated (default: of the config, else default)
  --concurrency n    jobs at once for each queue without a number of its own (default 10)
  --lease t          how long a killed worker's jobs wait before they start again (default 15s)
  --shutdown-timeout t
                     how long running jobs may take when it stops (default 25s)
  --processes n      run n such processes, and start one again when it dies
  --burst            stop when nothing is left to run now
  --watch            start again when a file changes
  --metrics-port n   tell Prometheus of this process at http://127.0.0.1:n/metrics; the processes of --processes
                     take the ports n, n+1, ... (the dashboard's /metrics tells of the queues)
  --metrics-host h   the address for it, e.g. 0.0.0.0 where Prometheus is on another host
  --health-port n    answer probes: /healthz while the event loop turns, /readyz while Redis answers and it isn't
                     stopping (else 503); the metrics port answers them too
  --health-host h    the address for it, e.g. 0.0.0.0 in a container
  --no-cron          leave the file's cron entries to other workers (they fire on the first of the queues)
  --json             log in JSON, a line each
  --verbose          log more

SIGTERM and SIGINT: claims no more, waits for running jobs, gives the rest back, exits with 0.
A second one, a second later or of another kind: gives all back at once and exits with 1.
Started by npx or an npm script, it stops as well when that is gone.
`,
  words: [0, 1_000],
  run: (given) => runWorker(given, given.has('watch')),
};

export async function runWorker(given: Given, watch: boolean): Promise<number> {
  const settings = await settingsOf(given);
  const files = (given.words.length > 0 ? given.words : settings.jobs).map(jobsPath);
  if (files.length === 0) {
    throw new InvalidArgumentError(
      "give a jobs file, e.g. minq worker ./jobs.ts, or name it in minq.config.ts: jobs: './jobs.ts'",
    );
  }
  const queues = readQueues(given, settings);
  const asked = given.number('processes');
  const processes = asked ?? 1;
  if (processes < 1 || processes > 256) {
    throw new InvalidArgumentError('--processes: give a number from 1 to 256');
  }
  const probes = (['metrics', 'health'] as const).flatMap((what) =>
    readProbing(given, what, processes),
  );
  const burst = given.has('burst');
  const cron = !given.has('no-cron');
  if (watch && burst) throw new InvalidArgumentError('--watch and --burst exclude each other');
  const logger = lineLogger({ json: given.json, verbose: given.has('verbose') });
  return (watch || asked !== undefined) && !insideSupervisor()
    ? supervise({ processes, watch, burst, logger })
    : (await import('./work.ts')).work(files, queues, {
        options: { ...workerOptions(given, settings), burst },
        files: settings.files,
        cron,
        probes,
        logger: settings.logger ?? logger,
      });
}

/** Where this process answers whoever watches it. */
function readProbing(given: Given, what: Probing, processes: number): [Probing, Address][] {
  const port = given.number(`${what}-port`);
  const host = given.text(`${what}-host`);
  if (port === undefined) {
    if (host === undefined) return [];
    throw new InvalidArgumentError(`--${what}-host: give --${what}-port too`);
  }
  if (host === '') throw new InvalidArgumentError(`--${what}-host: give an address, e.g. 0.0.0.0`);
  const last = 65_536 - processes;
  if (port < 1 || port > last) {
    const why = processes > 1 ? ` (${processes} processes take a port each)` : '';
    throw new InvalidArgumentError(
      `--${what}-port: ${port}: give a number from 1 to ${last}${why}`,
    );
  }
  return [[what, { host: host ?? '127.0.0.1', port: port + processIndex() }]];
}

/** Those of the config file, with what the flags say in their place. */
function workerOptions(given: Given, settings: Settings): WorkerOptions {
  const { files: _, ...config } = settings;
  const options: WorkerOptions = markConfig(config);
  const [lease, shutdownTimeout] = [given.text('lease'), given.text('shutdown-timeout')];
  if (lease !== undefined) options.lease = toMs(lease, '--lease', 300);
  if (shutdownTimeout !== undefined) {
    options.shutdownTimeout = toMs(shutdownTimeout, '--shutdown-timeout');
  }
  return options;
}

/** As they would stand behind `--queue`. */
const queuesOf = ({ queues = ['default'] }: Settings): string[] =>
  Array.isArray(queues) ? [...queues] : Object.entries(queues).map(([name, n]) => `${name}=${n}`);

function readQueues(given: Given, settings: Settings): QueueChoice[] {
  const concurrency = given.number('concurrency') ?? settings.concurrency;
  const named = given.has('queue') ? given.texts('queue') : queuesOf(settings);
  const choices = named.map((text) => {
    const [name, number] = text.split(/=(.*)/s) as [string, string?];
    const own = number === undefined ? concurrency : toNumber(number, `--queue ${name}`);
    return {
      queue: checkName(name, '--queue'),
      ...(own !== undefined && { concurrency: own }),
    };
  });
  if (new Set(choices.map(({ queue }) => queue)).size < choices.length) {
    throw new InvalidArgumentError('--queue: the same queue is named twice');
  }
  return choices;
}
