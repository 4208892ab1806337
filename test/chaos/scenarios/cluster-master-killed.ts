/** Scenario 12: the master of a queue dies, and its replica takes over. */
import { startCluster } from '../../helpers/cluster.ts';
import { until } from '../../helpers/until.ts';
import { underLoad, withServers } from '../failover.ts';
import type { Scenario } from '../scenario.ts';

const RESUMED_MS = 5_000;

export default {
  name: 'cluster-master-killed',
  what: 'Redis Cluster: the master of a queue is killed under load, its replica takes over',
  libraries: ['minq'],
  run: (ground) =>
    withServers(startCluster, async (cluster) => {
      const queues = [await cluster.queueOn(0, 'killed'), await cluster.queueOn(1, 'other')];
      return underLoad(ground, cluster, queues, RESUMED_MS, async () => {
        const master = await cluster.masterOf(queues[0]!);
        await master.kill();
        const masterGone = performance.now();
        await until(async () => (await cluster.masterOf(queues[0]!)) !== master);
        return { over: performance.now(), masterGone };
      });
    }),
} satisfies Scenario;
