/** `minq check`: whether all is well, for people and for whoever watches over it. */
import { describeError } from '../job/codec.ts';
import type { Connection } from '../redis/connection.ts';
import { toMs } from '../job/duration.ts';
import { InvalidArgumentError, MinqError } from '../job/errors.ts';
import { isSilent, readCounts, readWorkers } from '../views/inspector.ts';
import {
  checkEviction,
  checkPersistence,
  checkVersion,
  readServerFully,
  type Finding,
} from '../redis/server.ts';
import { readOldest } from '../views/statistics.ts';
import type { Store } from '../store/store.ts';
import type { Command } from './command.ts';
import { number, span } from './figures.ts';
import { namedQueues, storesOf, withConnection } from './redis.ts';
import { print, printJson } from './terminal.ts';

const CALL_TIMEOUT_MS = 5_000;

export const check: Command = {
  help: `Usage: minq check [options]

Checks that Redis is there, new enough, never evicts and is persistent, and of each queue that a worker is alive and no
job waits for too long. Exits with 1 when something is wrong, and says how to mend it.

  --max-age t        how long a job may wait, e.g. 30s (default 5m)
  --queue name       a queue; may be repeated (default: all that workers have worked on)
  --json             print JSON: { ok, findings: [{ check, ok, message, mend? }] }
`,
  options: { queue: { type: 'string', multiple: true }, 'max-age': { type: 'string' } },
  positionals: [0, 0],
  async run(values) {
    const maxAgeMs = toMs(values['max-age'] ?? '5m', '--max-age');
    const named = namedQueues(values);
    const findings = await withConnection(CALL_TIMEOUT_MS, (connection) =>
      findAll(connection, named, maxAgeMs),
    );
    const ok = findings.every((finding) => finding.ok);
    if (values['json']) printJson({ ok, findings });
    else print(...findings.map(lineOf));
    return ok ? 0 : 1;
  },
};

async function findAll(
  connection: Connection,
  named: readonly string[],
  maxAgeMs: number,
): Promise<Finding[]> {
  try {
    const facts = await readServerFully(connection);
    const server = [checkVersion(facts), checkEviction(facts), checkPersistence(facts)];
    if (!server[0]!.ok) return server; // its scripts would fail, one after the other
    const stores = await storesOf(connection, named);
    const queues = await Promise.all(stores.map((store) => checkQueue(store, maxAgeMs)));
    return [...server, ...queues.flat()];
  } catch (error) {
    if (!(error instanceof MinqError) || error instanceof InvalidArgumentError) throw error;
    const { message } = describeError(error);
    const mend = 'start Redis, or say where it is by MINQ_REDIS_URL';
    return [{ check: 'redis', ok: false, message, mend }];
  }
}

async function checkQueue(store: Store, maxAgeMs: number): Promise<Finding[]> {
  const [workers, oldest, { paused, queued }, now] = await Promise.all([
    readWorkers(store),
    readOldest(store),
    readCounts(store),
    store.now(),
  ]);
  const { queue } = store;
  const alive = workers.filter((worker) => !isSilent(worker, now)).length;
  const worker: Finding =
    alive > 0
      ? { check: 'worker', ok: true, message: `queue ${queue}: ${number(alive)} alive` }
      : {
          check: 'worker',
          ok: false,
          message: `queue ${queue}: no worker is alive`,
          mend: `start one: npx minq worker <file> --queue ${queue}`,
        };
  const is = paused ? ' (paused)' : '';
  if (oldest === undefined || oldest <= maxAgeMs) {
    const state =
      oldest === undefined ? 'no job waits' : `the oldest job has waited ${span(oldest)}`;
    return [worker, { check: 'waiting', ok: true, message: `queue ${queue}${is}: ${state}` }];
  }
  const message = `queue ${queue}${is}: the oldest job has waited ${span(oldest)}, with ${number(queued)} queued`;
  const mend = paused
    ? `let workers go on: npx minq resume --queue ${queue}`
    : alive > 0
      ? 'start more workers, or give them more slots (--concurrency); minq workers shows what they run'
      : 'start a worker';
  return [worker, { check: 'waiting', ok: false, message, mend }];
}

const lineOf = ({ check: what, ok, message, mend }: Finding): string =>
  `${ok ? 'ok  ' : 'FAIL'}  ${what.padEnd(12)}  ${message}${mend ? `; ${mend}` : ''}`;
