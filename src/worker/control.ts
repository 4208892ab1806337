/**
 * Hears of running jobs that somebody wants cancelled and of changed cron entries, on a subscriber connection. Only a shortcut: what was
 * not heard, because the connection was not there yet or had broken, a heartbeat brings; so one is asked for
 * as soon as the subscription stands (again).
 */
import { setTimeout, clearTimeout } from '../job/globals.ts';
import type { Connection } from '../redis/connection.ts';

export function startControl(
  connection: Connection,
  channel: string,
  onMessage: (message: string) => void,
  onSubscribed: () => void,
  onError: (error: unknown) => void,
): { stop(): void } {
  let subscribed = false;
  const subscribe = () => {
    connection.subscribe(channel).then(() => {
      subscribed = true;
      onSubscribed();
    }, retry);
  };
  // After a break; a first subscription that is still under way goes out by itself.
  connection.listen(onMessage, () => {
    if (subscribed) subscribe();
  });
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  const retry = (error: unknown) => {
    onError(error);
    if (!stopped) timer = setTimeout(subscribe, 1_000);
  };
  subscribe();
  return {
    stop() {
      stopped = true;
      clearTimeout(timer);
      connection.close();
    },
  };
}
