/** minq on a master with two replicas that three sentinels watch. (The master dies, or hangs: `sentinel.long.test.ts`.) */
import t from 'tap';
import { distributed } from '../helpers/distributed.ts';
import { startSentinels } from '../helpers/sentinel.ts';
import { failover } from './failover.ts';

t.setTimeout(90_000);

distributed('another is made the master by hand', startSentinels, async (t, ground, servers) => {
  await failover(t, ground, servers, () => servers.failover());
});

distributed('sentinels that hang or are gone; a name that none knows', startSentinels, async (t, ground, servers) => {
  const [hung, , third] = servers.sentinels;
  const say = (redis: string) =>
    ground.queue('none', { redis, callTimeout: 500 }).counts().then(String, (e: Error) => e.message); // prettier-ignore
  t.match(await say(servers.url.replace('mymaster', 'other')), /no sentinel knows a master of this name/); // prettier-ignore
  t.match(await say('redis+sentinel://127.0.0.1:1/mymaster'), /no sentinel can be reached/);
  hung!.signal('SIGSTOP');
  ground.onEnd(async () => hung!.signal('SIGCONT'));
  const redis = `redis+sentinel://127.0.0.1:${hung!.port},127.0.0.1:${third!.port}/mymaster`;
  const queue = ground.queue('third', { redis });
  t.ok((await queue.enqueue('work')).id, 'the next one is asked');
}); // prettier-ignore
