/** minq on a master that sentinels watch: it dies, or hangs. */
import t from 'tap';
import { distributed } from '../helpers/distributed.ts';
import { startSentinels } from '../helpers/sentinel.ts';
import { failover, sleep } from './failover.ts';

t.setTimeout(120_000);

distributed('the master is killed', startSentinels, async (t, ground, servers) => {
  const master = await servers.master();
  await failover(t, ground, servers, () => master.kill());
});

distributed('the master hangs for 6 s', startSentinels, async (t, ground, servers) => {
  const master = await servers.master();
  await failover(t, ground, servers, async () => {
    master.signal('SIGSTOP');
    await sleep(6_000);
    master.signal('SIGCONT');
  });
});
