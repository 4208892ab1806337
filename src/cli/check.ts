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
import { ofEach } from '../views/each.ts';
import {
  MAX_AGE_MS,
  readFindings,
  readNames,
  together,
  type QueueFinding,
} from '../views/findings.ts';
import { json, QUEUES, type Command } from './command.ts';
import { CALL_TIMEOUT_MS, withStores } from './redis.ts';
import { show, paint } from './terminal.ts';

export const check: Command = {
  help: `Usage: minq check [options]

Checks that Redis is there, new enough, never evicts and is persistent, and of each queue that a worker is alive and no
job waits for too long. Exits with 1 when something is wrong, and says how to mend it. It warns, and no more, of paused
queues, workers that are silent or were blocked, and jobs that failed in the last hour.

  --max-age t        how long a job may wait, e.g. 30s (default 5m)
${QUEUES}${json('{ ok, findings: [{ check, ok, message, mend, warning, queue, worker }] }')}`,
  async run(given) {
    const maxAgeMs = toMs(given.text('max-age') ?? MAX_AGE_MS, '--max-age');
    const findings: (Finding | QueueFinding)[] = await withStores(
      given,
      CALL_TIMEOUT_MS,
      async (stores, connection) => {
        const facts = await readServerFully(connection);
        const server = [checkVersion(facts), checkEviction(facts), checkPersistence(facts)];
        if (!server[0]!.ok) return server; // its scripts would fail, one after the other
        const all = await stores();
        const queues = await ofEach(all, (store) => readFindings(store, maxAgeMs));
        return [...server, ...(await readNames(all[0]!)), ...together(queues)];
      },
    ).catch(redisIsAway);
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

function lineOf(finding: Finding | QueueFinding): string {
  const { check: what, ok, message, mend } = finding;
  const sign = !ok
    ? paint('bad', 'FAIL')
    : 'warning' in finding
      ? paint('warn', 'warn')
      : paint('good', 'ok  ');
  return `${sign}  ${what.padEnd(12)}  ${message}${mend ? `; ${mend}` : ''}`;
}
