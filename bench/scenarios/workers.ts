/** Several workers, each in a process of its own: on one queue, and on several queues of a cluster. */
import { startCluster } from '../../test/helpers/cluster.ts';
import { LIBRARIES } from '../libraries.ts';
import { ScriptLog, Stopwatch, together } from '../meter.ts';
import { Fleet } from './fleet.ts';
import type { Scenario } from './scenario.ts';

const SLOTS = 50;

const ONE_QUEUE: readonly Scenario[] = [2, 4].map((processes) => ({
  name: `workers-${processes}`,
  title: `process no-op, ${processes} worker processes, ${SLOTS} at once each`,
  // It has nothing that would wake a worker in another process.
  without: ['floor'],
  long: true,
  async prepare(lib, { library, url, onEnd }) {
    const fleet = await Fleet.start(
      Array.from({ length: processes }, () => ({ library, url, slots: SLOTS })),
    );
    onEnd(() => fleet.end());
    return async (n, meter) => ({ nodeCpuUs: (await fleet.run([lib], n, meter)) / n });
  },
}));

/** What runs beside is a cluster of its own; the figures of Redis are those of its masters together. */
const CLUSTER: readonly Scenario[] = [1, 2, 3, 4].map((queues) => ({
  name: `cluster-${queues}`,
  title: `process no-op, cluster of 3 masters, queues with a worker of ${SLOTS} at once each: ${queues}`,
  without: ['bullmq', 'bee-queue', 'floor'],
  long: true,
  counted: 0,
  async prepare(_lib, { library, onEnd }) {
    const cluster = await startCluster({ replicas: false });
    const { url, nodes } = cluster;
    const names = await Promise.all(
      Array.from({ length: queues }, (_, i) => cluster.queueOn(i % nodes.length, `bench-${i}`)),
    );
    const { connect } = await LIBRARIES[library]!();
    const libs = await Promise.all(names.map((name) => connect(url, undefined, name)));
    const fleet = await Fleet.start(names.map((queue) => ({ library, url, slots: SLOTS, queue })));
    onEnd(async () => {
      await fleet.end();
      await Promise.all(libs.map((lib) => lib.close()));
      await cluster.stop();
    });
    return async (n, meter) => {
      const watches = nodes.map(({ client }) => new Stopwatch(client));
      const logs = nodes.map(({ client }) => new ScriptLog(client));
      const nodeCpuUs = await fleet.run(libs, n, together(meter, ...watches, ...logs));
      const costs = watches.map((watch) => watch.perJob(n));
      const sum = (what: 'redisCpuUs' | 'bytes') => costs.reduce((all, one) => all + one[what], 0);
      return {
        nodeCpuUs: nodeCpuUs / n,
        redisCpuUs: sum('redisCpuUs'),
        bytes: sum('bytes'),
        longestScriptMs: Math.max(...logs.map((log) => log.longestMs)),
        longScripts: logs.reduce((all, log) => all + log.long, 0),
      };
    };
  },
}));

export const WORKERS: readonly Scenario[] = [...ONE_QUEUE, ...CLUSTER];
