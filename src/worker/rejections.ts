/**
 * A rejection that nobody handles would end the process, and with it all other jobs. One that comes out of a
 * job fails that job instead; any other has Node's usual end.
 */
import { shared } from '../job/copies.ts';
import { runs } from '../job/context.ts';

/** Workers of this process that run; they share one listener. */
const catching = shared('rejections', () => ({ workers: 0, onRejection }));

/** @returns what ends it */
export function catchRejections(): () => void {
  if (catching.workers++ === 0) process.on('unhandledRejection', catching.onRejection);
  return () => {
    if (--catching.workers === 0) process.off('unhandledRejection', catching.onRejection);
  };
}

function onRejection(reason: unknown): void {
  const run = runs.getStore();
  if (run) run.failFloating('unhandled rejection', reason);
  // Not ours. Having a listener has switched Node's own reaction off: where there is no other, it is thrown.
  else if (process.listenerCount('unhandledRejection') === 1) throw reason;
}
