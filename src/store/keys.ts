/**
 * The only place where a key is spelled. All keys of a queue carry one hash tag, `minq:{default}:jobs`,
 * so that a queue lives on one slot of a cluster and every script may touch all of them.
 */

/** Redis type and content of each key. */
const NAMES = {
  /** HASH id -> server time of enqueue (13 digits) + JSON (fn, args, options). Written once per enqueue. */
  jobs: 'jobs',
  /** LISTs of tickets, first in first out. */
  high: 'queued:high',
  queued: 'queued',
  low: 'queued:low',
  /** ZSET ticket -> due at (ms). Delayed jobs, and retries that wait. */
  scheduled: 'scheduled',
  /** ZSET ticket -> lease ends at (ms). The only "running" structure. */
  active: 'active',
  /** HASH id -> current ticket, where it isn't the plain first one, `id:1:1`. */
  tickets: 'tickets',
  /** HASH id -> id of the job that was enqueued last under it, where that is another (`unique: 'waiting'`). */
  again: 'again',
  /** SET of tickets that still lie in a list but are void (their job was cancelled or removed). */
  dropped: 'dropped',
  /** SET of active tickets that somebody wants cancelled. */
  cancelling: 'cancelling',
  /** HASH id -> server time of the end (13 digits) + JSON (state, result or error, times, attempt). */
  outcomes: 'outcomes',
  /** HASH id -> JSON of the last failed attempt, while the job waits or runs again. */
  errors: 'errors',
  /** HASH id -> its failed attempts, a line each: server time of the end (13 digits) + JSON. The newest 8 KB. */
  attempts: 'attempts',
  /** HASH id -> JSON that the job gave to `progress()`. */
  progress: 'progress',
  /** HASH id -> lines that the job logged, the newest 8 KB; of jobs that failed, and where it is asked for. */
  logs: 'logs',
  /** ZSETs id -> kept until (ms). */
  completed: 'completed',
  failed: 'failed',
  cancelled: 'cancelled',
  /** HASH of bounds that workers were given: `completed`, `failed` (how many), `failedMs`. Missing: the defaults. */
  keep: 'keep',
  /** LIST of at most one contentless token: "there is something to claim". */
  wake: 'wake',
  /** HASH id -> channels of those who wait for the result, separated by spaces. */
  waiters: 'waiters',
  /** HASH worker -> server time of last sign of life (13 digits) + JSON (host, pid, slots, ...). */
  workers: 'workers',
  /** HASH of counters: enqueued, completed, failed, cancelled, retried, recovered, refused, dropped:<state>. */
  stats: 'stats',
  /** LIST of how things stood, a minute apart: time (ms), counters, jobs queued, scheduled and active. A day. */
  history: 'history',
  /** HASH of counters for each function: how its runs ended, how long they waited and took (see timings.ts). */
  timings: 'timings',
  /** HASHes: the same as they were an hour or two ago, and within the last hour. */
  timingsThen: 'timings:then',
  timingsNext: 'timings:next',
  /** ZSET cron entry -> its next tick (ms). */
  cron: 'cron',
  /** HASH cron entry -> JSON of its definition (when, function, arguments, options, app it belongs to). */
  entries: 'cron:entries',
  /** HASH cron entry -> its last tick, what became of it (fired, skipped, missed), and the last tick fired. */
  lastTicks: 'cron:last',
  /** HASH app -> when it last wrote down its cron entries (ms). */
  apps: 'cron:apps',
  /** STRING: the worker that ticks. Saves the others the work; nothing depends on it. */
  beat: 'beat',
  /** ZSET step of a flow whose turn has not come -> since when (ms). */
  waiting: 'waiting',
  /** HASH step -> what follows it and how it is begun; group -> size, what follows; flow -> its shape as JSON. */
  flows: 'flows',
  /** HASH place in a group -> result as JSON; group -> how many places are taken. Until the group is complete. */
  joins: 'joins',
  /** LIST: what flows have to do yet and one call was not enough for. */
  flowing: 'flowing',
  /** LIST: what flows have to tell other queues. */
  outbox: 'outbox',
  /** ZSET flow that was enqueued in part -> when it is given up (ms). */
  building: 'building',
  /** STRING, present while the queue is paused. */
  paused: 'paused',
  /** HASH of the queue's limits: `concurrency`; `rate` and `per` (ms). Missing: none. */
  limit: 'limit',
  /** ZSET ticket -> when it was claimed (ms), for as long as that counts against the rate. */
  starts: 'starts',
} as const;

export type KeyName = keyof typeof NAMES;

export const KEY_NAMES = Object.keys(NAMES) as KeyName[];

/** Every key of one queue, by name. */
export type QueueKeys = Readonly<Record<KeyName, string>> & {
  /**
   * STRING: number, settlements and tickets of the worker's last turn, so that one sent again is known; of a worker that
   * has left, `left` and the number of what it counted last.
   */
  claim(worker: string): string;
  /** Pub/sub channel on which one client hears of the results it waits for. */
  results(client: string): string;
  /** Pub/sub channel on which workers hear of tickets to cancel, and that the cron entries have changed. */
  readonly control: string;
};

/** ZSET queue -> when a worker or a producer of it was last seen (ms). The one key that belongs to no queue. */
export const queuesKey = (prefix: string): string => `${prefix}:queues`;

export function queueKeys(prefix: string, queue: string): QueueKeys {
  const base = `${prefix}:{${queue}}:`;
  const keys = Object.fromEntries(Object.entries(NAMES).map(([name, key]) => [name, base + key]));
  return {
    ...(keys as Record<KeyName, string>),
    claim: (worker) => `${base}claim:${worker}`,
    results: (client) => `${base}results:${client}`,
    control: `${base}control`,
  };
}
