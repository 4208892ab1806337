/**
 * What commands look at: one queue, or many over one connection. What talks to Redis is loaded only then: it is most of what
 * there is to load, and help or a wrong command line needs none of it.
 */
import { checkJobId, checkName } from '../job/names.ts';
import { refuse } from '../job/refuse.ts';
import type { Queue, QueueOptions } from '../queue/queue.ts';
import type { Connection } from '../redis/connection.ts';
import { Store } from '../store/store.ts';
import { ofEach } from '../views/each.ts';
import type { Given } from './command.ts';
import { settingsOf } from './settings.ts';
import { written } from './terminal.ts';

export const CALL_TIMEOUT_MS = 5_000;

/** Does something with the queue that `--queue` names, and closes it. */
export async function withQueue<T>(given: Given, body: (queue: Queue) => Promise<T>): Promise<T> {
  return withNamed(given, given.text('queue'), body);
}

async function withNamed<T>(
  given: Given,
  name: string | undefined,
  body: (queue: Queue) => Promise<T>,
): Promise<T> {
  const { redis, prefix, callTimeout, defaults, routes } = await settingsOf(given);
  const { Queue } = await import('../queue/queue.ts');
  const queue = new Queue(name, { redis, prefix, callTimeout, defaults, routes } as QueueOptions);
  try {
    return await body(queue);
  } finally {
    await queue.close();
    await written();
  }
}

/**
 * Does something with the queue that `--queue` names, else with the one that has this job.
 * @throws {InvalidArgumentError} when several have it: users may give an id on each
 */
export const withQueueOf =
  (id: string) =>
  async <T>(given: Given, body: (queue: Queue) => Promise<T>): Promise<T> => {
    checkJobId(id);
    return withNamed(given, given.text('queue') ?? (await queueOf(given, id)), body);
  };

/** Undefined where no queue has it. */
const queueOf = (given: Given, id: string): Promise<string | undefined> =>
  withStores(given, CALL_TIMEOUT_MS, async (stores) => {
    const having = await ofEach(await stores(), async (store) => {
      const { row } = await store.info(id);
      return row[1] === 'unknown' ? [] : [store.queue];
    });
    const [queue, ...others] = having.flat();
    if (others.length === 0) return queue;
    return refuse('id', id, `queues ${[queue, ...others].join(', ')} have it; give --queue`);
  });

/** Does something with the queues that `--queue` names, else with all that are used, else `default`. */
export async function withStores<T>(
  given: Given,
  callTimeoutMs: number,
  body: (stores: () => Promise<Store[]>, connection: Connection) => Promise<T>,
): Promise<T> {
  const named = new Set(given.texts('queue').map((name) => checkName(name, '--queue')));
  const { redis, prefix = 'minq' } = await settingsOf(given);
  const { Connection } = await import('../redis/connection.ts');
  const connection = new Connection(redis, { name: 'minq:cli', callTimeoutMs });
  const any = new Store(connection, prefix, 'default');
  const stores = async () => {
    const names = named.size > 0 ? [...named] : (await any.queues()).toSorted();
    return names.length > 0 ? names.map((name) => any.on(name)) : [any];
  };
  try {
    return await body(stores, connection);
  } finally {
    connection.close();
    await written();
  }
}
