/** A Redis Cluster of the test's own: masters with a replica each, on free ports, stopped at the end. */
import { freePort, startRedis, type TestRedis } from './redis.ts';
import { until } from './until.ts';

/** How long a node is silent before the others hold it for dead. */
const NODE_TIMEOUT_MS = 1_000;
const SLOTS = 16_384;
const MASTERS = 3;

export interface TestCluster {
  /** `redis+cluster://...` of all nodes. */
  readonly url: string;
  readonly nodes: readonly TestRedis[];
  /** A name for a queue whose slot is the given master's, 0 to 2, as the cluster begins. */
  queueOn(master: number, name: string): Promise<string>;
  /** The master that has the slot of this queue now. */
  masterOf(queue: string): Promise<TestRedis>;
  /** A master that hasn't. */
  otherMaster(queue: string): Promise<TestRedis>;
  /** Begins to move the slot of a queue: some of its keys go now, the others when the function returned is called. */
  beginMove(queue: string): Promise<() => Promise<void>>;
  /** Resolves when all slots are served and every node knows it. */
  healthy(): Promise<void>;
  stop(): Promise<void>;
}

export async function startCluster({ replicas = true } = {}): Promise<TestCluster> {
  const busPorts = new Map<TestRedis, number>();
  const startNode = async () => {
    const bus = await freePort();
    const node = await startRedis([
      '--cluster-enabled', 'yes', '--cluster-port', String(bus),
      '--cluster-node-timeout', String(NODE_TIMEOUT_MS), '--cluster-require-full-coverage', 'no',
      '--repl-diskless-sync-delay', '0', '--appendonly', 'no',
    ]); // prettier-ignore
    busPorts.set(node, bus);
    return node;
  };
  const count = replicas ? MASTERS * 2 : MASTERS;
  const nodes: TestRedis[] = [];
  const stop = async () => void (await Promise.all(nodes.map((node) => node.stop())));
  const call = (node: TestRedis, ...args: (string | number)[]) =>
    node.client.call('CLUSTER', args) as Promise<any>;
  const nodesAsSeenBy = (node: TestRedis) => call(node, 'NODES') as Promise<string>;
  const idOf = (node: TestRedis) => call(node, 'MYID') as Promise<string>;
  const slotOf = (queue: string) => call(living()[0]!, 'KEYSLOT', `{${queue}}`) as Promise<number>;
  const living = () => nodes.filter((node) => node.running);

  const healthy = () =>
    until(
      async () => {
        const infos = await Promise.all(living().map((node) => call(node, 'INFO')));
        return infos.every(
          (info: string) =>
            /cluster_state:ok/.test(info) &&
            /cluster_slots_ok:16384/.test(info) &&
            new RegExp(`cluster_known_nodes:${count}`).test(info),
        );
      },
      { what: 'the cluster is whole' },
    );

  try {
    nodes.push(...(await Promise.all(Array.from({ length: count }, startNode))));
    const [first] = nodes as [TestRedis];
    for (const [i, node] of nodes.entries()) {
      await call(node, 'SET-CONFIG-EPOCH', i + 1);
      if (i < MASTERS) {
        const from = Math.ceil((i * SLOTS) / MASTERS);
        const to = Math.ceil(((i + 1) * SLOTS) / MASTERS) - 1;
        await call(node, 'ADDSLOTSRANGE', from, to);
      }
      if (node !== first) await call(first, 'MEET', '127.0.0.1', node.port, busPorts.get(node)!);
    }
    await healthy();
    for (const [i, replica] of nodes.slice(MASTERS).entries()) {
      const master = await idOf(nodes[i]!);
      await until(async () => (await nodesAsSeenBy(replica)).includes(master));
      await call(replica, 'REPLICATE', master);
    }
    for (const replica of nodes.slice(MASTERS)) {
      await until(async () =>
        /master_link_status:up/.test(await replica.client.info('replication')),
      );
    }
    await healthy();
  } catch (error) {
    await stop();
    throw error;
  }

  const masterOf = async (queue: string) => {
    const slot = await slotOf(queue);
    for (;;) {
      for (const node of living()) {
        const own = (await nodesAsSeenBy(node))
          .split('\n')
          .find((line) => line.includes('myself'))!;
        const [, , flags, , , , , , ...ranges] = own.split(' ');
        const has = ranges.some((range) => {
          const [from, to = from] = range.split('-').map(Number);
          return slot >= from! && slot <= to!;
        });
        if (has && flags!.includes('master')) return node;
      }
    }
  };
  const otherMaster = async (queue: string) => {
    const owner = await masterOf(queue);
    for (const node of living()) {
      if (node !== owner && /role:master/.test(await node.client.info('replication'))) return node;
    }
    throw new Error('there is no other master');
  };

  return {
    url: `redis+cluster://${nodes.map(({ port }) => `127.0.0.1:${port}`).join(',')}`,
    nodes,
    async queueOn(master, name) {
      for (let i = 0; ; i++) {
        const queue = `${name}-${i}`;
        if (Math.floor(((await slotOf(queue)) * MASTERS) / SLOTS) === master) return queue;
      }
    },
    masterOf,
    otherMaster,
    async beginMove(queue) {
      const slot = await slotOf(queue);
      const from = await masterOf(queue);
      const to = await otherMaster(queue);
      const [fromId, toId] = [await idOf(from), await idOf(to)];
      await call(to, 'SETSLOT', slot, 'IMPORTING', fromId);
      await call(from, 'SETSLOT', slot, 'MIGRATING', toId);
      const move = async (share: number) => {
        const keys = (await call(from, 'GETKEYSINSLOT', slot, 1_000)) as string[];
        const some = keys.slice(0, Math.ceil(keys.length * share));
        if (some.length === 0) return;
        await from.client.call('MIGRATE', ['127.0.0.1', String(to.port), '', '0', '5000', 'KEYS', ...some]); // prettier-ignore
      };
      await move(0.5);
      return async () => {
        await move(1);
        for (const node of [to, from, ...living()]) {
          await call(node, 'SETSLOT', slot, 'NODE', toId).catch(() => {}); // replicas are told by their masters
        }
      };
    },
    healthy,
    stop,
  };
}
