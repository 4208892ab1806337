/**
 * An ioredis client and what is to be known of it: whether it is ready, the last error, the scripts it has sent. The
 * connections of one process that do the same at the same Redis share one: an app with twenty queues needs two, not forty.
 */
import type { Cluster, Redis } from 'ioredis';
import { setTimeout, clearTimeout } from '../job/globals.ts';
import type { MinqError } from '../job/errors.ts';
import {
  askNode,
  defaultUrl,
  isCluster,
  makeClient,
  saysWhy,
  tlsHint,
  type ClientSettings,
  type RedisSource,
} from './client.ts';
import { KeepAlive } from './keep-alive.ts';
import { typedError } from './refusals.ts';
import type { ScriptText } from './script.ts';

/**
 * A handshake (AUTH, INFO, SELECT) that takes longer is given up; ioredis itself would wait for ever. With the pause before
 * the next try, up to 1.2 s, work goes on within 3 s of the end of a black hole.
 */
const HANDSHAKE_MS = 1_500;

/** Who uses a link. */
export interface User {
  /** What is published on these is for it. */
  readonly channels: ReadonlySet<string>;
  failed(error: MinqError): void;
  /** What was in flight has no answer. */
  broke(): void;
  ready(): void;
  message(text: string, channel: string): void;
}

/** By what is done on them and where Redis is. */
const shared = new Map<string, Link>();
const numbers = new WeakMap<object, number>();
let given = 0;

/** The same URL, the same client and the same object of options are the same Redis; what else may be, nobody knows. */
function keyOf(source: RedisSource, name: string): string {
  if (typeof source !== 'object') return `${name} ${source}`;
  if (!numbers.has(source)) numbers.set(source, ++given);
  return `${name} ${numbers.get(source)}`;
}

export class Link {
  readonly client: Redis | Cluster;
  lastError: MinqError | undefined;
  /** Scripts that Redis has from us: the first call of each needn't ask whether it knows it. */
  readonly sent = new Set<ScriptText>();
  /** Set once the server has refused the script header. */
  plainScripts = false;
  readonly #key: string;
  readonly #resends: boolean;
  readonly #users = new Set<User>();
  #handshake: NodeJS.Timeout | undefined;
  readonly #keepAlive = new KeepAlive(() => this.#say());

  static for(
    user: User,
    source: RedisSource | undefined,
    settings: ClientSettings & { alone: boolean },
  ): Link {
    const from = source ?? defaultUrl();
    const key = settings.alone ? '' : keyOf(from, settings.name);
    const link = shared.get(key) ?? new Link(from, settings, key);
    if (!settings.alone) shared.set(key, link);
    link.#users.add(user);
    return link;
  }

  private constructor(source: RedisSource, settings: ClientSettings, key: string) {
    this.#key = key;
    this.#resends = settings.resend;
    const client = (this.client = makeClient(source, settings));
    client.setMaxListeners(0); // each call that waits for it to be ready has one, for no longer than its deadline
    client.on('error', (error: Error & { code?: string }) => {
      if (this.#handshake && error.code === 'ECONNRESET') return; // told when it is closed, which is next
      if (isCluster(client) && !saysWhy(error)) {
        void askNode(client).then((cause) => {
          if (!this.ready && this.#users.size > 0) this.#heard(cause ?? error);
        });
      } else {
        this.#heard(error);
      }
    });
    client.on('connect', () => {
      this.#handshake = setTimeout(() => this.drop(), HANDSHAKE_MS);
    });
    client.on('ready', () => {
      this.#endHandshake();
      this.lastError = undefined;
      this.#keepAlive.open();
      for (const user of this.#users) user.ready();
    });
    client.on('close', () => {
      this.#keepAlive.closed();
      const unanswered = this.#endHandshake();
      if (unanswered && !this.lastError && this.#users.size > 0) {
        this.#heard(new Error(`it was closed before Redis answered; ${tlsHint(client)}`));
      }
      if (isCluster(client) && this.#resends && this.#users.size > 0) return;
      for (const user of this.#users) user.broke();
    });
    client.on('message', (channel: string, text: string) => {
      for (const user of this.#users) if (user.channels.has(channel)) user.message(text, channel);
    });
  }

  /** A socket that is just closing is not ready: what is given to ioredis then, it keeps and sends later. */
  get ready(): boolean {
    const { status, stream } = this.client as { status: string; stream?: { writable: boolean } };
    return status === 'ready' && stream?.writable !== false;
  }

  /** Whether more than one uses it. */
  get isShared(): boolean {
    return this.#users.size > 1;
  }

  /** Something is said: who is idle, isn't now. */
  used(): void {
    this.#keepAlive.heard();
  }

  #heard(error: Error): void {
    this.lastError = typedError(error, false);
    for (const user of this.#users) user.failed(this.lastError);
  }

  /** @returns whether one was under way */
  #endHandshake(): boolean {
    const underWay = this.#handshake !== undefined;
    clearTimeout(this.#handshake);
    this.#handshake = undefined;
    return underWay;
  }

  /** An empty line: Redis takes it for no command, and answers nothing. */
  #say(): void {
    if (!isCluster(this.client) && this.ready) this.client.stream.write('\r\n');
  }

  /** Destroys the socket: ioredis then reconnects. `disconnect()` would wait for a peer that may never answer. */
  drop(): void {
    const { client } = this;
    const sockets = socketsOf(client);
    // What a node had not answered, a cluster would send to another, also when nobody waits for it any more.
    if (isCluster(client) && /^(connect|ready)$/.test(client.status)) client.disconnect(true);
    for (const socket of sockets) socket.destroy();
  }

  /** The last who leaves ends it, at once. */
  leave(user: User): void {
    this.#users.delete(user);
    if (this.#users.size > 0) return this.#unsubscribe(user);
    if (shared.get(this.#key) === this) shared.delete(this.#key);
    this.#keepAlive.end();
    this.#endHandshake();
    const sockets = socketsOf(this.client);
    this.client.disconnect();
    for (const socket of sockets) socket.destroy();
  }

  #unsubscribe({ channels }: User): void {
    const others = [...this.#users];
    const left = [...channels].filter((name) => !others.some((user) => user.channels.has(name)));
    // After a break nobody subscribes them again anyway.
    if (left.length > 0 && this.ready) this.client.unsubscribe(...left).catch(() => {});
  }
}

function socketsOf(client: Redis | Cluster): { destroy(): void }[] {
  const nodes = isCluster(client) ? client.nodes() : [client];
  // Before a client has connected it has none, whatever its type says.
  return nodes.flatMap((node) => (node.stream as { destroy(): void } | undefined) ?? []);
}
