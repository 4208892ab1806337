/** Makes the ioredis client of a connection, from whatever says where Redis is. */
import { Cluster, Redis, type ClusterOptions, type RedisOptions } from 'ioredis';
import { parseAddress, unusable } from './address.ts';
import { show } from '../job/refuse.ts';
import { InvalidArgumentError } from '../job/errors.ts';

/**
 * Where Redis is: a URL (of a server, a cluster or sentinels), ioredis options, or a client of yours, of ioredis 5 or 6
 * (duplicated, never closed by minq).
 */
export type RedisSource = string | AnyRedisOptions | RedisClient;

/** Of ioredis 5 or 6: the types of their connectors don't fit each other. */
type AnyRedisOptions = Omit<RedisOptions, 'Connector'> & { Connector?: unknown };

/** `Redis` or `Cluster` of ioredis 5 or 6, by what is asked of it: its class may be that of another copy. */
interface RedisClient {
  readonly options: object;
  duplicate(...args: never[]): unknown;
}

export interface ClientSettings {
  /** Shown by `CLIENT LIST`. */
  name: string;
  /** Re-send what was in flight when the connection broke. */
  resend: boolean;
}

/** Reasons for each setting: under faults, ioredis's defaults lose, double or hang (see test/redis). */
function redisOptions(settings: ClientSettings) {
  return {
    connectionName: settings.name,
    lazyConnect: true,
    protocol: 2,
    replyMapping: 'legacy', // a user's may be of protocol 3 only
    keepAlive: 10_000,
    connectTimeout: 5_000,
    maxRetriesPerRequest: null,
    enableOfflineQueue: true,
    enableAutoPipelining: false,
    // It would be for ever, though nobody waits for them any more (connection.ts).
    autoResendUnfulfilledCommands: false,
    // Nobody hears of the subscriptions ioredis makes again: cut off, they are unhandled rejections. We make them ourselves.
    autoResubscribe: false,
    failoverDetector: true,
    // A sentinel that hangs accepts connections and says nothing: ioredis would ask no other, for ever.
    sentinelCommandTimeout: 1_000,
    retryStrategy: (tries: number) =>
      Math.min(50 * 2 ** Math.min(tries - 1, 5), 1_000) + Math.random() * 200,
    // A master that was demoted: reconnect, to the new one. What was refused had no effect and is sent again by
    // us, within its deadline; ioredis would go on sending it long after its caller was told.
    reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
  } satisfies RedisOptions;
}

/** The same of a cluster; what a user's own cluster has set otherwise would break or stop minq. */
function clusterOptions(settings: ClientSettings, ofUser: RedisOptions = {}): ClusterOptions {
  const { lazyConnect, retryStrategy, enableOfflineQueue, enableAutoPipelining, ...perNode } =
    redisOptions(settings);
  return {
    lazyConnect,
    enableOfflineQueue,
    enableAutoPipelining,
    clusterRetryStrategy: retryStrategy,
    scaleReads: 'master', // replicas lag behind
    // The nodes of a cluster come and go: there it is for ioredis to find the one that takes over.
    redisOptions: { ...ofUser, ...perNode, autoResendUnfulfilledCommands: settings.resend },
  };
}

/** Where Redis is when nothing says so. */
export const defaultUrl = (): string =>
  process.env['MINQ_REDIS_URL'] ?? process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379';

/** @throws {InvalidArgumentError} for what can't lead to a Redis */
export function makeClient(
  source: RedisSource | undefined,
  settings: ClientSettings,
): Redis | Cluster {
  const given = source ?? defaultUrl();
  if (typeof given === 'string') return fromText(given, settings);
  if (typeof given !== 'object') {
    throw new InvalidArgumentError(
      `redis: ${show(given)} is neither URL, ioredis options nor ioredis client`,
    );
  }
  const ours = redisOptions(settings);
  if (isClient(given)) {
    const client = given as Redis | Cluster;
    refuseUnfit(client.options);
    if (!isCluster(client)) return client.duplicate(ours);
    const ofUser = client.options.redisOptions ?? {};
    refuseUnfit(ofUser);
    return client.duplicate([], clusterOptions(settings, ofUser));
  }
  const options = given as RedisOptions;
  refuseUnfit(options);
  return new Redis({
    ...options,
    ...ours,
    connectTimeout: options.connectTimeout ?? ours.connectTimeout,
  });
}

function fromText(text: string, settings: ClientSettings): Redis | Cluster {
  const address = parseAddress(text);
  const ours = redisOptions(settings);
  switch (address.kind) {
    case 'cluster':
      return new Cluster(address.hosts, {
        ...clusterOptions(settings, address.options),
        // Certificates are made out to names: keep those, instead of the addresses they stand for.
        ...(address.options.tls && { dnsLookup: (name, found) => found(null, name) }),
      });
    case 'sentinel':
      return new Redis({ ...address.options, ...ours });
    case 'server':
      try {
        const client = new Redis(address.url, ours);
        refuseUnfit(client.options); // a URL may carry options in its query
        return client;
      } catch (error) {
        if (error instanceof InvalidArgumentError) throw error;
        throw unusable(text, "is no Redis URL; give e.g. 'redis://127.0.0.1:6379'");
      }
  }
}

/** By its methods: what differs between 5 and 6 in the types, minq doesn't use. */
const isClient = (value: object): value is RedisClient =>
  'duplicate' in value && typeof value.duplicate === 'function';

export const isCluster = (client: Redis | Cluster): client is Cluster =>
  'isCluster' in client && client.isCluster;

/** What may be wrong where a server says nothing, or closes the connection without a word. */
export function tlsHint(client: Redis | Cluster): string {
  const { tls } = isCluster(client) ? (client.options.redisOptions ?? {}) : client.options;
  return tls ? 'where it speaks no TLS, give redis://' : 'where it wants TLS, give rediss://';
}

/** Of a cluster's error: whether it is more than that no node was reached. */
export const saysWhy = ({ lastNodeError }: Error & { lastNodeError?: Error }): boolean =>
  lastNodeError !== undefined && lastNodeError.message !== 'Connection is closed.';

/** What keeps us from a node of a cluster. ioredis knows, and doesn't tell: so it is tried once more. */
export function askNode(cluster: Cluster): Promise<Error | undefined> {
  const [node] = cluster.nodes();
  if (!node) return Promise.resolve(undefined);
  const probe = node.duplicate({ lazyConnect: true, retryStrategy: () => null });
  return new Promise((resolve) => {
    probe.once('error', resolve);
    probe.on('error', () => {});
    const done = () => {
      probe.disconnect();
      resolve(undefined);
    };
    probe.connect().then(done, done);
  });
}

/**
 * ioredis would prefix the keys, and not the channels: half of minq would look elsewhere. And it would write to database
 * 0 when Redis refuses the one that was asked for.
 */
function refuseUnfit({ db = 0, ...options }: { keyPrefix?: string; db?: number }): void {
  if (!Number.isInteger(db) || db < 0) {
    throw new InvalidArgumentError(`redis: db ${show(db)} is no database; give a number from 0`);
  }
  if (options.keyPrefix) {
    throw new InvalidArgumentError(
      `redis: keyPrefix ${show(options.keyPrefix)} can't be used with minq; give the prefix as option 'prefix'`,
    );
  }
}

/** Where it connects to, without names of users and passwords. */
export function placeOf(client: Redis | Cluster): string {
  if (isCluster(client)) return `a cluster of ${client.nodes().length} nodes`;
  const { path, host, port, db = 0, sentinels, name } = client.options;
  const server = path ?? `${host}:${port}`;
  return `${sentinels ? `${name} of ${sentinels.length} sentinels` : server}/${db}`;
}
