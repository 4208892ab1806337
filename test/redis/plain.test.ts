/** A server that refuses script headers is found out by the first scripts, however many go out at once. */
import { startPlainServer } from '../helpers/plain-server.ts';
import { scene } from '../helpers/setup.ts';
import { jobs } from '../helpers/turns.ts';

scene('the first scripts on a connection go out together, and all are carried out', async (t, stage) => {
  const store = stage.store();
  const calls = [store.enqueue(jobs('', 'a')), store.prune(), store.pause(), store.counts()];
  for (const call of await Promise.allSettled(calls)) t.match(call, { status: 'fulfilled' });
  t.same(await store.counts(), [0, 1, 0, 0, 0, 0, 1, 0]);
}, { redis: startPlainServer }); // prettier-ignore
