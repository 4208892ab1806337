/**
 * One connection to Redis with the rules minq needs, which ioredis alone doesn't give:
 * - every call has a deadline and ends in a typed error (no ioredis setting bounds the wait in all faults);
 * - a call is sent only when the connection is ready, so that what times out before that was surely not sent;
 * - a connection that stays silent is destroyed and made anew (half-open connections, a hung server);
 * - errors carry neither arguments nor passwords (those of ioredis carry both).
 * A command whose reply was lost is re-sent after the reconnect, until its deadline; every script of minq can stand that.
 * ioredis would go on re-sending it for ever, though nobody waits for it: what the server closes the connection on would cut
 * off all that is sent later.
 */
import type { Cluster, Redis } from 'ioredis';
import { performance, setTimeout, clearTimeout } from '../job/globals.ts';
import {
  askNode,
  isCluster,
  makeClient,
  placeOf,
  saysWhy,
  tlsHint,
  type RedisSource,
} from './client.ts';
import { deadlineIn, pause, type Deadline } from '../job/duration.ts';
import {
  MinqError,
  RedisCommandError,
  RedisOutOfMemoryError,
  RedisUnavailableError,
} from '../job/errors.ts';
import { KeepAlive } from './keep-alive.ts';
import type { Script, ScriptText } from './script.ts';

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

/**
 * A handshake (AUTH, INFO, SELECT) that takes longer is given up; ioredis itself would wait for ever. With the pause before
 * the next try, up to 1.2 s, work goes on within 3 s of the end of a black hole.
 */
const HANDSHAKE_MS = 1_500;

/** Words Redis begins an error with when the same call may succeed a moment later. */
const TRANSIENT =
  /^(READONLY|LOADING|MASTERDOWN|NOREPLICAS|MISCONF|BUSY|CLUSTERDOWN|TRYAGAIN|UNBLOCKED)\b|^Too many Cluster redirections|^Connection is closed/;
const FATAL_AT_CONNECT =
  /^(WRONGPASS|NOAUTH|NOPERM)\b|invalid password|without any password configured/i;
const TRANSIENT_PAUSE_MS = 100;

/** The connection broke while a call was under way. */
class Broken extends RedisUnavailableError {
  constructor() {
    super('the connection to Redis broke', { maybeEnqueued: true });
  }
}

/** The connection broke under a call, and again when it was sent again: the call may be what it breaks by. */
export class CutOff extends RedisUnavailableError {
  constructor({ ms }: Deadline) {
    super(`the connection to Redis broke under the call, as often as it was sent within ${ms} ms`, {
      maybeEnqueued: true,
    });
  }
}

const maybeDone = ({ message }: RedisUnavailableError) =>
  new RedisUnavailableError(message, { maybeEnqueued: true });

export class Connection {
  readonly #client: Redis | Cluster;
  readonly #settings: Required<ConnectionSettings>;
  /** Ends of the waits for a connection. */
  readonly #waiting = new Set<(error: MinqError) => void>();
  /** Rejects of the calls in flight, where they must end when the connection does. */
  readonly #inFlight = new Set<(error: MinqError) => void>();
  #lastError: MinqError | undefined;
  #handshake: NodeJS.Timeout | undefined;
  /** Scripts that Redis has from us: the first call of each needn't ask whether it knows it. */
  readonly #sent = new Set<ScriptText>();
  /** Set once the server has refused the script header. */
  #plainScripts = false;
  #closed = false;
  readonly #keepAlive = new KeepAlive(() => this.#say());

  constructor(source: RedisSource | undefined, settings: ConnectionSettings) {
    this.#settings = { resend: true, onError: () => {}, ...settings };
    this.#client = makeClient(source, this.#settings);
    this.#client.setMaxListeners(0); // each call that waits for it to be ready has one, for no longer than its deadline
    this.#client.on('error', (error: Error & { code?: string }) => {
      if (this.#handshake && error.code === 'ECONNRESET') return; // told when it is closed, which is next
      if (isCluster(this.#client) && !saysWhy(error)) {
        void askNode(this.#client).then((cause) => {
          if (!this.ready && !this.#closed) this.#heard(cause ?? error);
        });
      } else {
        this.#heard(error);
      }
    });
    this.#client.on('connect', () => {
      this.#handshake = setTimeout(() => this.#dropSocket(), HANDSHAKE_MS);
    });
    this.#client.on('ready', () => {
      this.#endHandshake();
      this.#lastError = undefined;
      this.#keepAlive.open();
    });
    this.#client.on('close', () => {
      this.#keepAlive.closed();
      const unanswered = this.#endHandshake();
      if (unanswered && !this.#lastError && !this.#closed) {
        this.#heard(new Error(`it was closed before Redis answered; ${tlsHint(this.#client)}`));
      }
      if (isCluster(this.#client) && this.#settings.resend && !this.#closed) return;
      for (const reject of this.#inFlight) reject(new Broken());
    });
  }

  #heard(error: Error): void {
    this.#lastError = typedError(error, false);
    this.#settings.onError(this.#lastError);
    if (!(this.#lastError instanceof RedisCommandError)) return;
    for (const end of this.#waiting) end(this.#lastError);
  }

  /** @returns whether one was under way */
  #endHandshake(): boolean {
    const underWay = this.#handshake !== undefined;
    clearTimeout(this.#handshake);
    this.#handshake = undefined;
    return underWay;
  }

  /** A socket that is just closing is not ready: what is given to ioredis then, it keeps and sends later. */
  get ready(): boolean {
    const { status, stream } = this.#client as { status: string; stream?: { writable: boolean } };
    return status === 'ready' && stream?.writable !== false;
  }

  /** Where Redis is, for people. */
  get place(): string {
    return placeOf(this.#client);
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
    deadline = deadlineIn(this.#settings.callTimeoutMs),
  ): Promise<unknown> {
    let refusal: RedisUnavailableError | undefined;
    let maybeEnqueued = false; // by any of the tries, whatever the last one says
    for (;;) {
      try {
        return await this.#evaluate(script, keys, args, deadline);
      } catch (error) {
        if (!(error instanceof RedisUnavailableError)) throw error;
        maybeEnqueued ||= error.maybeEnqueued;
        const transient = error.message.startsWith('Redis: ');
        if (transient) refusal = error;
        // What Redis said says more than that time was up while we connected again.
        else if (error.maybeEnqueued || !refusal) throw error;
        // A try with hardly any time left would only tell that it had none.
        if (!transient || performance.now() + 2 * TRANSIENT_PAUSE_MS >= deadline.at) {
          throw new RedisUnavailableError(refusal.message, { maybeEnqueued });
        }
        await pause(TRANSIENT_PAUSE_MS);
      }
    }
  }

  async #evaluate(
    script: Script,
    keys: readonly string[],
    args: readonly string[],
    deadline: Deadline,
  ): Promise<unknown> {
    const send = (how: 'EVALSHA' | 'EVAL', text: ScriptText) =>
      this.call(
        (client) =>
          how === 'EVAL'
            ? client.eval(text.source, keys.length, ...keys, ...args)
            : client.evalsha(text.sha, keys.length, ...keys, ...args),
        deadline,
      );
    const text = this.#plainScripts ? script.plain : script.flagged;
    if (this.#sent.has(text)) {
      try {
        return await send('EVALSHA', text);
      } catch (error) {
        if (!isRefusal(error, /NOSCRIPT/)) throw named(error, script, text);
      }
    }
    this.#sent.add(text);
    try {
      return await send('EVAL', text);
    } catch (error) {
      // How servers that don't know "#!lua" refuse it: the Lua compiler's words, or none of Lua at all.
      const unknownHeader = isRefusal(error, /compil|unexpected symbol|syntax|shebang/i);
      if (text === script.plain || !unknownHeader) throw named(error, script, text);
      this.#plainScripts = true;
      return await send('EVAL', script.plain);
    }
  }

  /**
   * Sends one command once the connection is ready.
   * @param deadline waiting for the connection included
   */
  async call<T>(
    send: (client: Redis) => Promise<T>,
    deadline = deadlineIn(this.#settings.callTimeoutMs),
  ): Promise<T> {
    if (!this.ready) await this.#untilReady(deadline);
    for (let breaks = 0; ;) {
      try {
        if (breaks > 0) await this.#untilReady(deadline);
        return await this.#send(send, deadline);
      } catch (error) {
        const again = error instanceof Broken && this.#settings.resend && !this.#closed;
        if (again) breaks++;
        else if (breaks > 1 && error instanceof RedisUnavailableError) throw new CutOff(deadline);
        // Of the try before nobody knows whether Redis carried it out.
        else if (breaks > 0 && error instanceof RedisUnavailableError) throw maybeDone(error);
        else throw error;
      }
    }
  }

  /** An empty line: Redis takes it for no command, and answers nothing. */
  #say(): void {
    if (!isCluster(this.#client) && this.ready) this.#client.stream.write('\r\n');
  }

  #send<T>(send: (client: Redis) => Promise<T>, deadline: Deadline): Promise<T> {
    this.#keepAlive.heard();
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
            new RedisUnavailableError(`Redis did not answer within ${deadline.ms} ms`, {
              maybeEnqueued: true,
            }),
          );
          this.#dropSocket();
        },
        Math.max(1, deadline.at - performance.now()),
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
  #untilReady(deadline: Deadline): Promise<void> {
    const client = this.#client;
    if (this.#closed) return Promise.reject(new RedisUnavailableError('the connection was closed'));
    if (client.status === 'wait') {
      client.connect().catch((error: Error) => {
        this.#lastError ??= typedError(error, false); // else the error event has told it
      });
    }
    return new Promise((resolve, reject) => {
      const end = (error?: MinqError) => {
        clearTimeout(timer);
        client.off('ready', onReady);
        this.#waiting.delete(end);
        if (error) reject(error);
        else resolve();
      };
      const onReady = () => end();
      const timer = setTimeout(
        () => end(this.#unreachable(deadline.ms)),
        Math.max(1, deadline.at - performance.now()),
      );
      client.on('ready', onReady);
      this.#waiting.add(end);
      if (this.#lastError instanceof RedisCommandError) end(this.#lastError);
    });
  }

  #unreachable(timeoutMs: number): RedisUnavailableError {
    const why = this.#lastError?.message ?? `nothing answers; ${tlsHint(this.#client)}`;
    return new RedisUnavailableError(`no connection to Redis within ${timeoutMs} ms: ${why}`);
  }

  /** Destroys the socket: ioredis then reconnects. `disconnect()` would wait for a peer that may never answer. */
  #dropSocket(): void {
    const client = this.#client;
    const sockets = socketsOf(client);
    // What a node had not answered, a cluster would send to another, also when nobody waits for it any more.
    if (isCluster(client) && /^(connect|ready)$/.test(client.status)) client.disconnect(true);
    for (const socket of sockets) socket.destroy();
  }

  /**
   * Ends the connection at once; calls in flight, and those that wait for it, reject. They are told here: a
   * client that is between two attempts to connect would never say that it has ended.
   */
  close(): void {
    this.#closed = true;
    this.#keepAlive.end();
    this.#endHandshake();
    const closed = (maybeEnqueued: boolean) =>
      new RedisUnavailableError('the connection was closed', { maybeEnqueued });
    for (const end of this.#waiting) end(closed(false));
    for (const reject of this.#inFlight) reject(closed(true));
    const sockets = socketsOf(this.#client);
    this.#client.disconnect();
    for (const socket of sockets) socket.destroy();
  }
}

function socketsOf(client: Redis | Cluster): { destroy(): void }[] {
  const nodes = isCluster(client) ? client.nodes() : [client];
  // Before a client has connected it has none, whatever its type says.
  return nodes.flatMap((node) => (node.stream as { destroy(): void } | undefined) ?? []);
}

/** A right that a script lacked: Redis 7.0 says in which line, and not to what. */
function named(error: unknown, script: Script, { source }: ScriptText): unknown {
  if (!isRefusal(error, /user executing the script|ACL failure/)) return error;
  const { message } = error as RedisCommandError;
  const line = source.split('\n')[Number(/user_script:(\d+)/.exec(message)?.[1]) - 1] ?? '';
  const commands = [...line.matchAll(/redis\.call\('([A-Z]+)'/g)].map((match) => match[1]!);
  const what = commands.length > 0 ? commands.join(' or ').toLowerCase() : message;
  return new RedisCommandError(`Redis refused: NOPERM: script ${script.name} may not run ${what}`);
}

const isRefusal = (error: unknown, words: RegExp) =>
  error instanceof RedisCommandError && words.test(error.message);

type RedisError = Error & { code?: string; errors?: Error[]; lastNodeError?: Error };

/** An ioredis error as one of minq's: its first words only, for the rest may quote arguments or the password. */
function typedError(error: RedisError, sent: boolean): MinqError {
  if (error instanceof MinqError) return error;
  if (error.lastNodeError) return typedError(error.lastNodeError, sent); // no node of a cluster was of use
  const message = inPlainWords(
    (error.message || error.errors?.[0]?.message || error.code || error.name)
      .replace(/,? with args beginning with.*$/s, '')
      .replace(/\/\/[^@/\s]*@/g, '//***@')
      .slice(0, 300),
  );
  if (/^OOM\b/.test(message) || /-OOM\b|command not allowed when used memory/.test(message)) {
    return new RedisOutOfMemoryError();
  }
  if (TRANSIENT.test(message)) {
    return new RedisUnavailableError(`Redis: ${message}`, {
      // The tries of a cluster may have been broken off, whatever the last one ended with.
      maybeEnqueued: sent && /^(Connection is closed|Too many)/.test(message),
    });
  }
  if (error.name === 'ReplyError' || FATAL_AT_CONNECT.test(message)) {
    return new RedisCommandError(`Redis refused: ${message}`);
  }
  return new RedisUnavailableError(`connection: ${message}`, { maybeEnqueued: sent });
}

/** What ioredis, Node or OpenSSL say in a way that helps nobody. */
function inPlainWords(message: string): string {
  if (/^(MOVED|ASK) /.test(message)) {
    return "this is a node of a cluster; give it as 'redis+cluster://host:port', or as an ioredis Cluster";
  }
  if (/wrong version number|packet length too long/.test(message)) {
    return 'the server speaks no TLS there; give redis:// instead of rediss://, or the port for TLS';
  }
  // Else it says in how many ms it tries again, each time another number.
  if (message.startsWith('All sentinels are unreachable')) {
    if (/ERR No such master/.test(message)) return 'no sentinel knows a master of this name';
    return 'no sentinel can be reached';
  }
  return message;
}
