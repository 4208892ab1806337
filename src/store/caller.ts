/** Calls the scripts of one queue: their keys and arguments by name. */
import type { Connection } from '../redis/connection.ts';
import type { Deadline } from '../job/duration.ts';
import { queueKeys, type QueueKeys } from './keys.ts';
import type { Script } from '../redis/script.ts';

/** A text, or nothing where there is none. */
export type Reply = string | null;

export class Caller {
  readonly keys: QueueKeys;
  readonly connection: Connection;
  readonly prefix: string;
  readonly queue: string;
  /** Id of the worker on whose behalf calls are made. */
  readonly worker: string;
  readonly #keyLists = new Map<Script, readonly string[]>();

  constructor(connection: Connection, prefix: string, queue: string, worker: string) {
    this.connection = connection;
    this.prefix = prefix;
    this.queue = queue;
    this.worker = worker;
    this.keys = queueKeys(prefix, queue);
  }

  run<Arg extends string>(
    script: Script<Arg>,
    args: Record<Arg, string | number>,
    rest: readonly string[] = [],
    deadline?: Deadline,
  ): Promise<unknown> {
    let keys = this.#keyLists.get(script);
    if (!keys) {
      const all: Record<string, unknown> = { ...this.keys, claim: this.keys.claim(this.worker) };
      keys = script.keys.map((name) => all[name] as string);
      this.#keyLists.set(script, keys);
    }
    const values = script.args.map((name) => String(args[name]));
    return this.connection.run(script, keys, values.concat(rest), deadline);
  }
}

/** A flat reply as rows. */
export function inRows<T>(flat: readonly T[], width: number): T[][] {
  const rows: T[][] = [];
  for (let i = 0; i < flat.length; i += width) rows.push(flat.slice(i, i + width));
  return rows;
}
