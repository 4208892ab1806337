/** What commands look at: one queue, or many over one connection. */
import { Connection } from '../redis/connection.ts';
import { checkName } from '../job/names.ts';
import { Queue } from '../queue/queue.ts';
import { Store } from '../store/store.ts';
import type { Values } from './command.ts';
import { written } from './terminal.ts';

/** First part of the keys, as of a `Queue` that is told no other. */
const PREFIX = 'minq';

/** Does something with the queue that `--queue` names, and closes it. */
export async function withQueue<T>(values: Values, body: (queue: Queue) => Promise<T>): Promise<T> {
  const queue = new Queue(values['queue'] as string | undefined);
  try {
    return await body(queue);
  } finally {
    await queue.close();
    await written();
  }
}

/** Queues as `--queue name` named them, each once; empty where none was named. */
export function namedQueues(values: Values): string[] {
  const names = (values['queue'] as string[] | undefined) ?? [];
  return [...new Set(names.map((name) => checkName(name, '--queue')))];
}

/** Of those named, else of all that workers have worked on, else of `default`. */
export async function storesOf(connection: Connection, named: readonly string[]): Promise<Store[]> {
  const first = new Store(connection, PREFIX, named[0] ?? 'default');
  if (named.length > 0) return named.map((name) => first.on(name));
  const known = await first.queues();
  return known.length > 0 ? known.toSorted().map((name) => first.on(name)) : [first];
}

export async function withConnection<T>(
  callTimeoutMs: number,
  body: (connection: Connection) => Promise<T>,
): Promise<T> {
  const connection = new Connection(undefined, { name: 'minq:cli', callTimeoutMs });
  try {
    return await body(connection);
  } finally {
    connection.close();
    await written();
  }
}
