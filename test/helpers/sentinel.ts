/** A master with two replicas, watched by three sentinels: on free ports, stopped at the end. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Redis } from 'ioredis';
import { freePort, startRedis, type TestRedis } from './redis.ts';
import { spawnRedis } from './server-process.ts';
import { until } from './until.ts';

const NAME = 'mymaster';
/** How long a master is silent before a sentinel holds it for down. */
const DOWN_AFTER_MS = 1_000;
const SENTINELS = 3;
const REPLICAS = 2;

export interface TestSentinel {
  readonly port: number;
  readonly client: Redis;
  signal(signal: NodeJS.Signals): void;
}

export interface Watched {
  /** `redis+sentinel://...` of all sentinels. */
  readonly url: string;
  readonly nodes: readonly TestRedis[];
  readonly sentinels: readonly TestSentinel[];
  /** The one that the sentinels name. */
  master(): Promise<TestRedis>;
  /** The same, whatever the queue. */
  masterOf(): Promise<TestRedis>;
  /** Has another be the master, with no need. Resolves when the sentinels have been told so. */
  failover(): Promise<void>;
  /** Resolves when the sentinels agree on the master, and see its replicas follow it. */
  healthy(): Promise<void>;
  stop(): Promise<void>;
}

export async function startSentinels(): Promise<Watched> {
  const nodes: TestRedis[] = [];
  const sentinels: (TestSentinel & { stop(): Promise<void> })[] = [];
  const stop = async () => {
    await Promise.all([...sentinels, ...nodes].map((one) => one.stop()));
  };
  const fields = (flat: string[]) =>
    Object.fromEntries(flat.flatMap((name, i) => (i % 2 ? [] : [[name, flat[i + 1]!]])));

  const address = async (of: TestSentinel = sentinels[0]!) =>
    Number(((await of.client.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', NAME)) as string[])[1]);
  const master = async () => {
    const port = await address();
    return nodes.find((node) => node.port === port)!;
  };
  const seenWell = async (sentinel: TestSentinel) => {
    const [port, facts, replicas] = await Promise.all([
      address(sentinel),
      sentinel.client.call('SENTINEL', 'MASTER', NAME) as Promise<string[]>,
      sentinel.client.call('SENTINEL', 'REPLICAS', NAME) as Promise<string[][]>,
    ]);
    const following = replicas.map(fields).filter((each) => {
      const follows = each['master-link-status'] === 'ok' && Number(each['master-port']) === port;
      return follows && each['flags'] === 'slave';
    });
    const watching = Number(fields(facts)['num-other-sentinels']) === SENTINELS - 1;
    return port === (await address()) && watching && following.length === REPLICAS;
  };
  const healthy = () =>
    until(async () => (await Promise.all(sentinels.map(seenWell))).every(Boolean), {
      what: 'the sentinels see the master and its replicas well',
    });

  try {
    const first = await startRedis(['--repl-diskless-sync-delay', '0']);
    nodes.push(first);
    const follow = ['--repl-diskless-sync-delay', '0', '--replicaof', '127.0.0.1', String(first.port)]; // prettier-ignore
    for (let i = 0; i < REPLICAS; i++) nodes.push(await startRedis(follow));
    for (let i = 0; i < SENTINELS; i++) sentinels.push(await startSentinel(first.port));
    await healthy();
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    url: `redis+sentinel://${sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',')}/${NAME}`,
    nodes,
    sentinels,
    master,
    masterOf: master,
    failover: async () => void (await sentinels[0]!.client.call('SENTINEL', 'FAILOVER', NAME)),
    healthy,
    stop,
  };
}

async function startSentinel(
  masterPort: number,
): Promise<TestSentinel & { stop(): Promise<void> }> {
  const port = await freePort();
  const folder = mkdtempSync(path.join(tmpdir(), 'minq-sentinel-'));
  const file = path.join(folder, 'sentinel.conf');
  const lines = [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${folder}`,
    `sentinel monitor ${NAME} 127.0.0.1 ${masterPort} 2`,
    `sentinel down-after-milliseconds ${NAME} ${DOWN_AFTER_MS}`,
    `sentinel failover-timeout ${NAME} 5000`,
  ];
  writeFileSync(file, lines.join('\n'));
  const server = spawnRedis([file, '--sentinel']);
  const client = new Redis({ port, retryStrategy: () => 20, maxRetriesPerRequest: null });
  client.on('error', () => {}); // refused until it listens
  await client.ping();
  return {
    port,
    client,
    signal: (signal) => void server.kill(signal),
    async stop() {
      client.disconnect();
      server.kill('SIGKILL');
      await until(() => server.exitCode !== null || server.signalCode !== null);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
