/**
 * One connection to Redis with the rules minq needs, which ioredis alone doesn't give:
 * - every call has a deadline and ends in a typed error (no ioredis setting bounds the wait in all faults);
 * - a call is sent only when the connection is ready, so that what times out before that was surely not sent;
 * - a connection that stays silent is destroyed and made anew (half-open connections, a hung server);
 * - errors carry neither arguments nor passwords (those of ioredis carry both).
 * A command whose reply was lost is re-sent after the reconnect; every script of minq can stand that.
 */
import { Cluster, Redis, type ClusterOptions, type RedisOptions } from 'ioredis';
import { show } from './duration.ts';
import {
  InvalidArgumentError,
  MinqError,
  RedisCommandError,
  RedisOutOfMemoryError,
  RedisUnavailableError,
} from './errors.ts';
import type { Script, ScriptText } from './script.ts';

/** Where Redis is: a URL, ioredis options, or a client of yours (duplicated, never closed by minq). */
export type RedisSource = string | RedisOptions | Redis | Cluster;

export interface ConnectionSettings {
  /** Shown by `CLIENT LIST`. */
  name: string;
  /** Longest time a call may take, in milliseconds. */
  callTimeoutMs: number;
  /** Re-send what was in flight when the connection broke. Off for blocking waits, which must not outlive their caller. */
  resend?: boolean;
  /** Told of every connection error; Redis being away shows here. */
  onError?: (error: MinqError) => void;
}

/** A handshake (AUTH, INFO, SELECT) that takes longer is given up; ioredis itself would wait for ever. */
const HANDSHAKE_MS = 2_500;

/** Words Redis begins an error with when the same call may succeed a moment later. */
const TRANSIENT =
  /^(READONLY|LOADING|MASTERDOWN|NOREPLICAS|MISCONF|BUSY|CLUSTERDOWN|TRYAGAIN|UNBLOCKED)\b|^Too many Cluster redirections|^Connection is closed/;
const FATAL_AT_CONNECT =
  /^(WRONGPASS|NOAUTH|NOPERM)\b|invalid password|without any password configured/i;
const TRANSIENT_PAUSE_MS = 100;

export class Connection {
  readonly #client: Redis | Cluster;
  readonly #settings: Required<ConnectionSettings>;
  /** Ends of the waits for a connection. */
  readonly #waiting = new Set<(error: MinqError) => void>();
  /** Rejects of the calls in flight, where they must end when the connection does. */
  readonly #inFlight = new Set<(error: MinqError) => void>();
  #lastError: MinqError | undefined;
  #handshake: NodeJS.Timeout | undefined;
  /** Set once the server has refused the script header. */
  #plainScripts = false;
  #closed = false;

  constructor(source: RedisSource | undefined, settings: ConnectionSettings) {
    this.#settings = { resend: true, onError: () => {}, ...settings };
    this.#client = makeClient(source, this.#settings);
    this.#client.setMaxListeners(0); // each call that waits for it to be ready has two, for no longer than its deadline
    this.#client.on('error', (error: Error) => {
      this.#lastError = typedError(error, false);
      this.#settings.onError(this.#lastError);
    });
    this.#client.on('connect', () => {
      this.#handshake = setTimeout(() => this.#dropSocket(), HANDSHAKE_MS);
    });
    this.#client.on('ready', () => {
      clearTimeout(this.#handshake);
      this.#lastError = undefined;
    });
    this.#client.on('close', () => {
      clearTimeout(this.#handshake);
      if (this.#settings.resend && !this.#closed) return;
      const error = new RedisUnavailableError('the connection to Redis broke', {
        maybeEnqueued: true,
      });
      for (const reject of this.#inFlight) reject(error);
    });
  }

  /** A socket that is just closing is not ready: what is given to ioredis then, it keeps and sends later. */
  get ready(): boolean {
    const { status, stream } = this.#client as { status: string; stream?: { writable: boolean } };
    return status === 'ready' && stream?.writable !== false;
  }

  /** For subscriptions: the client itself, whose `message` and `ready` events are needed. */
  get client(): Redis | Cluster {
    return this.#client;
  }

  /**
   * Runs a script. Errors that pass (a failover, a slot on the move) are tried again until the deadline.
   * @throws {RedisUnavailableError | RedisOutOfMemoryError | RedisCommandError}
   */
  async run(
    script: Script,
    keys: readonly string[],
    args: readonly string[],
    timeoutMs = this.#settings.callTimeoutMs,
  ): Promise<unknown> {
    const deadline = performance.now() + timeoutMs;
    let refusal: RedisUnavailableError | undefined;
    for (;;) {
      try {
        return await this.#evaluate(script, keys, args, deadline);
      } catch (error) {
        if (!(error instanceof RedisUnavailableError)) throw error;
        const transient = error.message.startsWith('Redis: ');
        if (transient) refusal = error;
        // What Redis said says more than that time was up while we connected again.
        else if (error.maybeEnqueued || !refusal) throw error;
        if (!transient || performance.now() + TRANSIENT_PAUSE_MS >= deadline) throw refusal;
        await new Promise((resolve) => setTimeout(resolve, TRANSIENT_PAUSE_MS));
      }
    }
  }

  async #evaluate(
    script: Script,
    keys: readonly string[],
    args: readonly string[],
    deadline: number,
  ): Promise<unknown> {
    const send = (how: 'EVALSHA' | 'EVAL', text: ScriptText) =>
      this.call(
        (client) =>
          how === 'EVAL'
            ? client.eval(text.source, keys.length, ...keys, ...args)
            : client.evalsha(text.sha, keys.length, ...keys, ...args),
        deadline - performance.now(),
      );
    const text = this.#plainScripts ? script.plain : script.flagged;
    try {
      return await send('EVALSHA', text);
    } catch (error) {
      if (!isRefusal(error, /NOSCRIPT/)) throw error;
    }
    try {
      return await send('EVAL', text);
    } catch (error) {
      // How servers that don't know "#!lua" refuse it: the Lua compiler's words, or none of Lua at all.
      const unknownHeader = isRefusal(error, /compil|unexpected symbol|syntax|shebang/i);
      if (text === script.plain || !unknownHeader) throw error;
      this.#plainScripts = true;
      return await send('EVAL', script.plain);
    }
  }

  /**
   * Sends one command once the connection is ready.
   * @param timeoutMs deadline, waiting for the connection included
   */
  async call<T>(
    send: (client: Redis) => Promise<T>,
    timeoutMs = this.#settings.callTimeoutMs,
  ): Promise<T> {
    const deadline = performance.now() + timeoutMs;
    if (!this.ready) await this.#untilReady(timeoutMs);
    return new Promise<T>((resolve, reject) => {
      const end = (settle: () => void) => {
        clearTimeout(timer);
        this.#inFlight.delete(fail);
        settle();
      };
      const fail = (error: MinqError) => end(() => reject(error));
      const timer = setTimeout(
        () => {
          fail(
            new RedisUnavailableError(`Redis did not answer within ${Math.round(timeoutMs)} ms`, {
              maybeEnqueued: true,
            }),
          );
          this.#dropSocket();
        },
        Math.max(1, deadline - performance.now()),
      );
      this.#inFlight.add(fail);
      // A Cluster has all the commands of a Redis that minq sends; the two types merely don't say so.
      send(this.#client as Redis).then(
        (reply) => end(() => resolve(reply)),
        (error: Error) => fail(typedError(error, true)),
      );
    });
  }

  /** Resolves when connected. Wrong credentials reject at once: waiting would not help. */
  #untilReady(timeoutMs: number): Promise<void> {
    const client = this.#client;
    if (this.#closed) return Promise.reject(new RedisUnavailableError('the connection was closed'));
    if (client.status === 'wait') client.connect().catch(() => {}); // reported by the error event
    return new Promise((resolve, reject) => {
      const end = (error?: MinqError) => {
        clearTimeout(timer);
        client.off('ready', onReady);
        client.off('error', onError);
        this.#waiting.delete(end);
        if (error) reject(error);
        else resolve();
      };
      const onReady = () => end();
      const onError = () => {
        if (this.#lastError instanceof RedisCommandError) end(this.#lastError);
      };
      const timer = setTimeout(() => end(this.#unreachable(timeoutMs)), timeoutMs);
      client.on('ready', onReady);
      client.on('error', onError);
      this.#waiting.add(end);
      onError();
    });
  }

  #unreachable(timeoutMs: number): RedisUnavailableError {
    const why = this.#lastError ? `: ${this.#lastError.message}` : '';
    return new RedisUnavailableError(
      `no connection to Redis within ${Math.round(timeoutMs)} ms${why}`,
    );
  }

  /** Destroys the socket: ioredis then reconnects. `disconnect()` would wait for a peer that may never answer. */
  #dropSocket(): void {
    const nodes = this.#client instanceof Redis ? [this.#client] : nodesOf(this.#client);
    for (const node of nodes) (node as { stream?: { destroy(): void } }).stream?.destroy();
  }

  /**
   * Ends the connection at once; calls in flight, and those that wait for it, reject. They are told here: a
   * client that is between two attempts to connect would never say that it has ended.
   */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#handshake);
    const closed = (maybeEnqueued: boolean) =>
      new RedisUnavailableError('the connection was closed', { maybeEnqueued });
    for (const end of this.#waiting) end(closed(false));
    for (const reject of this.#inFlight) reject(closed(true));
    this.#client.disconnect();
    this.#dropSocket();
  }
}

const nodesOf = (client: object): object[] =>
  'nodes' in client && typeof client.nodes === 'function'
    ? (client.nodes as () => object[])()
    : [client];

const isRefusal = (error: unknown, words: RegExp) =>
  error instanceof RedisCommandError && words.test(error.message);

/** An ioredis error as one of minq's: its first words only, for the rest may quote arguments or the password. */
function typedError(error: Error & { code?: string; errors?: Error[] }, sent: boolean): MinqError {
  if (error instanceof MinqError) return error;
  const message = (error.message || error.errors?.[0]?.message || error.code || error.name)
    .replace(/,? with args beginning with.*$/s, '')
    .replace(/\/\/[^@/\s]*@/g, '//***@')
    .slice(0, 300);
  if (/^OOM\b/.test(message) || /-OOM\b|command not allowed when used memory/.test(message)) {
    return new RedisOutOfMemoryError();
  }
  if (TRANSIENT.test(message)) {
    return new RedisUnavailableError(`Redis: ${message}`, {
      maybeEnqueued: sent && message.startsWith('Conn'),
    });
  }
  if (error.name === 'ReplyError' || FATAL_AT_CONNECT.test(message)) {
    return new RedisCommandError(`Redis refused: ${message}`);
  }
  return new RedisUnavailableError(`connection: ${message}`, { maybeEnqueued: sent });
}

/** Reasons for each setting: under faults, ioredis's defaults lose, double or hang (see the tests of connection). */
function redisOptions(settings: Required<ConnectionSettings>) {
  return {
    connectionName: settings.name,
    lazyConnect: true,
    protocol: 2,
    keepAlive: 10_000,
    connectTimeout: 5_000,
    maxRetriesPerRequest: null,
    enableOfflineQueue: true,
    enableAutoPipelining: false,
    autoResendUnfulfilledCommands: settings.resend,
    failoverDetector: true,
    retryStrategy: (tries: number) =>
      Math.min(50 * 2 ** Math.min(tries - 1, 5), 1_000) + Math.random() * 200,
    // A master that was demoted: reconnect, to the new one. What was refused had no effect and is sent again by
    // us, within its deadline; ioredis would go on sending it long after its caller was told.
    reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
  } satisfies RedisOptions;
}

/** Where Redis is when nothing says so. */
export const defaultUrl = (): string =>
  process.env['MINQ_REDIS_URL'] ?? process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379';

function makeClient(
  source: RedisSource | undefined,
  settings: Required<ConnectionSettings>,
): Redis | Cluster {
  const ours = redisOptions(settings);
  const given = source ?? defaultUrl();
  if (typeof given === 'string') return fromUrl(given, ours);
  if (typeof given !== 'object') {
    throw new InvalidArgumentError(
      `redis: ${show(given)} is neither URL, ioredis options nor ioredis client`,
    );
  }
  if (isClient(given)) {
    refuseKeyPrefix(given.options);
    if ('isCluster' in given && given.isCluster) {
      const cluster = given as Cluster;
      refuseKeyPrefix(cluster.options.redisOptions ?? {});
      const { lazyConnect, retryStrategy: _, enableOfflineQueue: __, ...perNode } = ours;
      const options: ClusterOptions = {
        lazyConnect,
        redisOptions: { ...cluster.options.redisOptions, ...perNode },
        clusterRetryStrategy: ours.retryStrategy,
      };
      return cluster.duplicate([], options);
    }
    return (given as Redis).duplicate(ours);
  }
  refuseKeyPrefix(given);
  return new Redis({
    ...given,
    ...ours,
    connectTimeout: given.connectTimeout ?? ours.connectTimeout,
  });
}

function fromUrl(url: string, ours: RedisOptions): Redis {
  try {
    if (!/^(rediss?|unix):\/\/|^\//.test(url)) throw new TypeError('no scheme that Redis has');
    const client = new Redis(url, ours);
    refuseKeyPrefix(client.options); // a URL may carry options in its query
    return client;
  } catch (error) {
    if (error instanceof InvalidArgumentError) throw error;
    // Whatever stands before the host may be a password, also where the rest is wrong.
    const shown = show(url.replace(/^.*@/s, '***@'));
    throw new InvalidArgumentError(
      `redis: ${shown} is no Redis URL; give e.g. 'redis://127.0.0.1:6379'`,
    );
  }
}

/** By its methods, not its class: the user's ioredis may be another copy or version. */
const isClient = (value: object): value is Redis | Cluster =>
  'duplicate' in value && typeof value.duplicate === 'function';

/** ioredis would prefix the keys, and not the channels: half of minq would look elsewhere. */
function refuseKeyPrefix(options: { keyPrefix?: string }): void {
  if (options.keyPrefix) {
    throw new InvalidArgumentError(
      `redis: keyPrefix ${show(options.keyPrefix)} can't be used with minq; give the prefix as option 'prefix'`,
    );
  }
}
