/** What a worker waits for before it begins: a Redis that answers, lets us do all we need, and has our keys. */
import { pause } from '../job/duration.ts';
import { RedisCommandError, RedisUnavailableError } from '../job/errors.ts';
import type { Logger } from '../job/log.ts';
import type { Connection } from '../redis/connection.ts';
import { checkRights } from '../redis/rights.ts';
import { checkServer } from '../redis/server.ts';
import type { Store } from '../store/store.ts';

/**
 * @param stopped ends the wait; the connection is then closed
 * @returns false when it was stopped before Redis could be reached
 * @throws {RedisCommandError} when Redis refuses us
 */
export async function untilFit(
  connection: Connection,
  store: Store,
  logger: Logger,
  stopped: Promise<unknown>,
): Promise<boolean> {
  let gaveUp = false;
  void stopped.then(() => (gaveUp = true));
  for (;;) {
    try {
      for (const warning of await checkServer(connection)) logger.warn(warning);
      await checkRights(connection, store.keys.wake);
      await store.prune(); // the first script: shows whether the keys are ours
      return !gaveUp;
    } catch (error) {
      if (gaveUp) return false;
      // A key that somebody broke is the trouble of what needs it, and may be mended while we work.
      if (error instanceof RedisCommandError && error.message.includes('WRONGTYPE')) return true;
      if (!(error instanceof RedisUnavailableError)) throw error;
      logger.error(`waiting for Redis: ${error.message}`);
      await pause(200);
    }
  }
}
