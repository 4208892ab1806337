/** `minq check`: whether all is well, for people and for whoever watches over it. */
import { describeError } from '../job/codec.ts';
import { toMs } from '../job/duration.ts';
import { InvalidArgumentError, MinqError } from '../job/errors.ts';
import {
  checkEviction,
  checkPersistence,
  checkVersion,
  readServerFully,
  type Finding,
} from '../redis/server.ts';
import type { Store } from '../store/store.ts';
import { ofEach } from '../views/each.ts';
import { isSilent, readCounts, readWorkers } from '../views/inspector.ts';
import { readOldest } from '../views/statistics.ts';
import { json, QUEUES, type Command } from './command.ts';
import { number, span } from './figures.ts';
import { CALL_TIMEOUT_MS, withStores } from './redis.ts';
import { show } from './terminal.ts';

export const check: Command = {
  help: `Usage: minq check [options]

Checks that Redis is there, new enough, never evicts and is persistent, and of each queue that a worker is alive and no
job waits for too long. Exits with 1 when something is wrong, and says how to mend it.

  --max-age t        how long a job may wait, e.g. 30s (default 5m)
${QUEUES}${json('{ ok, findings: [{ check, ok, message, mend? }] }')}`,
  async run(given) {
    const maxAgeMs = toMs(given.text('max-age') ?? '5m', '--max-age');
    const findings = await withStores(given, CALL_TIMEOUT_MS, async (stores, connection) => {
      const facts = await readServerFully(connection);
      const server = [checkVersion(facts), checkEviction(facts), checkPersistence(facts)];
      if (!server[0]!.ok) return server; // its scripts would fail, one after the other
      const queues = await ofEach(await stores(), (store) => checkQueue(store, maxAgeMs));
      return [...server, ...queues.flat()];
    }).catch(redisIsAway);
    const ok = findings.every((finding) => finding.ok);
    show(given, { ok, findings }, () => findings.map(lineOf));
    return ok ? 0 : 1;
  },
};

function redisIsAway(error: unknown): Finding[] {
  if (!(error instanceof MinqError) || error instanceof InvalidArgumentError) throw error;
  const { message } = describeError(error);
  const mend = 'start Redis, or say where it is by MINQ_REDIS_URL';
  return [{ check: 'redis', ok: false, message, mend }];
}

async function checkQueue(store: Store, maxAgeMs: number): Promise<Finding[]> {
  const { queue } = store;
  const [workers, oldest, { paused, queued }, now] = await Promise.all([
    readWorkers(store),
    readOldest(store),
    readCounts(store),
    store.now(),
  ]);
  const alive = workers.filter((worker) => !isSilent(worker, now)).length;
  const worker: Finding = {
    check: 'worker',
    ok: alive > 0,
    message: `queue ${queue}: ${alive > 0 ? number(alive) : 'no worker is'} alive`,
    ...(alive === 0 && { mend: `start one: npx minq worker <file> --queue ${queue}` }),
  };
  const late = oldest !== undefined && oldest > maxAgeMs;
  const waits = oldest === undefined ? 'no job waits' : `the oldest job has waited ${span(oldest)}`;
  const mend = paused
    ? `let workers go on: npx minq resume --queue ${queue}`
    : alive > 0
      ? 'start more workers, or give them more slots (--concurrency); minq workers shows what they run'
      : 'start a worker';
  const waiting: Finding = {
    check: 'waiting',
    ok: !late,
    message: `queue ${queue}${paused ? ' (paused)' : ''}: ${waits}${late ? `, with ${number(queued)} queued` : ''}`,
    ...(late && { mend }),
  };
  return [worker, waiting];
}

const lineOf = ({ check: what, ok, message, mend }: Finding): string =>
  `${ok ? 'ok  ' : 'FAIL'}  ${what.padEnd(12)}  ${message}${mend ? `; ${mend}` : ''}`;
