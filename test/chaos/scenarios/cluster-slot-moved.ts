/** Scenario 12: the slot of a queue moves to another master of the cluster while jobs come and go. */
import { startCluster } from '../../helpers/cluster.ts';
import { underLoad, withServers } from '../failover.ts';
import type { Scenario } from '../scenario.ts';
import { sleep } from '../stand.ts';

const RESUMED_MS = 2_000;

export default {
  name: 'cluster-slot-moved',
  what: "Redis Cluster: a queue's slot moves to another master under load, half of its keys a second before the rest",
  libraries: ['minq'],
  run: (ground) =>
    withServers(startCluster, async (cluster) => {
      const queues = [await cluster.queueOn(0, 'moved'), await cluster.queueOn(1, 'other')];
      return underLoad(ground, cluster, queues, RESUMED_MS, async (bench) => {
        const home = await cluster.masterOf(queues[0]!);
        const endMove = await cluster.beginMove(queues[0]!);
        await sleep(ground.full ? 3_000 : 1_000);
        await endMove();
        bench.ensure((await cluster.masterOf(queues[0]!)) !== home, 'the slot has moved');
        bench.ensure(
          bench.load.refused.length === 0 || ground.full,
          'no call fails while a slot moves',
        );
        return { over: performance.now() };
      });
    }),
} satisfies Scenario;
