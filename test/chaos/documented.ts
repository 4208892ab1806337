/**
 * What the documentation (or, where it is silent, the source) of queues in other languages says of the same faults, with
 * their defaults: documented, not measured. Only where it says something.
 */

export interface Statement {
  readonly system: 'arq' | 'Celery' | 'Sidekiq';
  readonly says: string;
}

/** By scenario. */
export const DOCUMENTED: Readonly<Record<string, readonly Statement[]>> = {
  kill: [
    { system: 'arq', says: 'runs again after up to 310 s' },
    { system: 'Celery', says: 'lost; with `acks_late` runs again after an hour' },
    { system: 'Sidekiq', says: 'lost; Pro: after 60 s or more, when a process starts' },
  ],
  'rolling-restart': [{ system: 'Sidekiq', says: 'what is not done after 25 s is pushed back' }],
  freeze: [
    { system: 'arq', says: 'no fencing' },
    { system: 'Celery', says: 'a stale worker may run its task days later (#7918)' },
  ],
  poison: [
    { system: 'Celery', says: 'lost at its first crash' },
    { system: 'Sidekiq', says: 'lost at its first crash, and those beside it' },
  ],
  'redis-away': [
    { system: 'arq', says: 'an enqueue raises' },
    { system: 'Celery', says: 'an enqueue is tried again by its retry policy' },
    { system: 'Sidekiq', says: 'an enqueue raises; Pro keeps it in memory' },
  ],
};
