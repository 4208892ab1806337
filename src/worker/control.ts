/**
 * Hears of running jobs that somebody wants cancelled, on a subscriber connection. Only a shortcut: what is
 * not heard here, because the connection was broken, the next heartbeat brings.
 */
import type { Connection } from '../connection.ts';
import type { Run } from './executor.ts';

export function startControl(
  connection: Connection,
  channel: string,
  held: ReadonlyMap<string, Run>,
): { stop(): void } {
  connection.client.on('message', (_channel: string, ticket: string) => held.get(ticket)?.cancel());
  // Redis may be away at the start: ioredis subscribes again only what was subscribed once.
  const subscribe = () => {
    connection.call((client) => client.subscribe(channel)).catch(retry);
  };
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  const retry = () => {
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
