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
import type { Redis } from 'ioredis';
import { performance, setTimeout, clearTimeout } from '../job/globals.ts';
import { placeOf, tlsHint, type RedisSource } from './client.ts';
import { deadlineIn, pause, type Deadline } from '../job/duration.ts';
import { RedisCommandError, RedisUnavailableError, type MinqError } from '../job/errors.ts';
import { Link, type User } from './link.ts';
import { isRefusal, named, typedError } from './refusals.ts';
import type { Script, ScriptText } from './script.ts';

export interface ConnectionSettings {
  /** Shown by `CLIENT LIST`. Those of one name share a client, where they are at the same Redis. */
  name: string;
  /** Longest time a call may take, in milliseconds. */
  callTimeoutMs: number;
  /** Shared with nobody: for what keeps Redis from answering others meanwhile. */
  alone?: boolean;
  /** Re-send what was in flight when the connection broke. Off for blocking waits, which must not outlive their caller. */
  resend?: boolean;
  /** Told of every connection error; Redis being away shows here. */
  onError?: (error: MinqError) => void;
}

const TRANSIENT_PAUSE_MS = 100;
/** A call under which the connection broke so often: another who shares it may be to blame. */
const BREAKS_BY_OTHERS = 2;

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
  readonly #settings: Required<ConnectionSettings>;
  readonly #source: RedisSource | undefined;
  readonly #user: User & { channels: Set<string> };
  #link: Link;
  /** Ends of the waits for a connection. */
  readonly #waiting = new Set<(error?: MinqError) => void>();
  /** Rejects of the calls in flight, where they must end when the connection does. */
  readonly #inFlight = new Set<(error: MinqError) => void>();
  #closed = false;

  constructor(source: RedisSource | undefined, settings: ConnectionSettings) {
    this.#settings = { alone: false, resend: true, onError: () => {}, ...settings };
    this.#source = source;
    this.#user = {
      channels: new Set(),
      failed: (error) => {
        this.#settings.onError(error);
        if (!(error instanceof RedisCommandError)) return;
        for (const end of this.#waiting) end(error);
      },
      broke: () => {
        for (const reject of this.#inFlight) reject(new Broken());
      },
      ready: () => {},
      message: () => {},
    };
    this.#link = Link.for(this.#user, source, this.#settings);
  }

  get ready(): boolean {
    return !this.#closed && this.#link.ready;
  }

  /** Where Redis is, for people. */
  get place(): string {
    return placeOf(this.#link.client);
  }

  /**
   * Hears what is published on the channels it subscribes to.
   * @param onReady called at each connection that stands: it is to subscribe again, and to look up what was missed
   */
  listen(onMessage: (text: string, channel: string) => void, onReady: () => void): void {
    this.#user.message = onMessage;
    this.#user.ready = onReady;
  }

  async subscribe(channel: string): Promise<void> {
    this.#user.channels.add(channel);
    await this.call((client) => client.subscribe(channel));
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
    const { sent, plainScripts } = this.#link;
    const text = plainScripts ? script.plain : script.flagged;
    try {
      if (sent.has(text)) {
        try {
          return await send('EVALSHA', text);
        } catch (error) {
          if (!isRefusal(error, /NOSCRIPT/)) throw error;
        }
      }
      sent.add(text);
      return await send('EVAL', text);
    } catch (error) {
      // How servers that don't know "#!lua" refuse it: the Lua compiler's words, or none of Lua at all.
      const unknownHeader = isRefusal(error, /compil|unexpected symbol|syntax|shebang/i);
      if (text === script.plain || !unknownHeader) throw named(error, script, text);
      this.#link.plainScripts = true;
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
    for (let breaks = 0; ;) {
      try {
        while (!this.ready) await this.#untilReady(deadline);
        return await this.#send(send, deadline);
      } catch (error) {
        const again = error instanceof Broken && this.#settings.resend && !this.#closed;
        if (again) {
          if (++breaks === BREAKS_BY_OTHERS) this.#moveOut();
        } else if (breaks > 1 && error instanceof RedisUnavailableError) throw new CutOff(deadline);
        // Of the try before nobody knows whether Redis carried it out.
        else if (breaks > 0 && error instanceof RedisUnavailableError) throw maybeDone(error);
        else throw error;
      }
    }
  }

  /** What the others send may be what the connection breaks by. */
  #moveOut(): void {
    if (this.#settings.alone || this.#user.channels.size > 0 || !this.#link.isShared) return;
    this.#settings.alone = true;
    const shared = this.#link;
    this.#link = Link.for(this.#user, this.#source, this.#settings);
    shared.leave(this.#user);
    for (const end of this.#waiting) end(); // from now on for the new one
  }

  #send<T>(send: (client: Redis) => Promise<T>, deadline: Deadline): Promise<T> {
    const link = this.#link;
    link.used();
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
          link.drop();
        },
        Math.max(1, deadline.at - performance.now()),
      );
      this.#inFlight.add(fail);
      // A Cluster has all the commands of a Redis that minq sends; the two types merely don't say so.
      send(link.client as Redis).then(
        (reply) => end(() => resolve(reply)),
        (error: Error) => fail(typedError(error, true)),
      );
    });
  }

  /** Resolves when connected. Wrong credentials reject at once: waiting would not help. */
  #untilReady(deadline: Deadline): Promise<void> {
    const link = this.#link;
    const { client } = link;
    if (this.#closed) return Promise.reject(new RedisUnavailableError('the connection was closed'));
    if (client.status === 'wait') {
      client.connect().catch((error: Error) => {
        link.lastError ??= typedError(error, false); // else the error event has told it
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
      if (link.lastError instanceof RedisCommandError) end(link.lastError);
    });
  }

  #unreachable(timeoutMs: number): RedisUnavailableError {
    const { lastError, client } = this.#link;
    const why = lastError?.message ?? `nothing answers; ${tlsHint(client)}`;
    return new RedisUnavailableError(`no connection to Redis within ${timeoutMs} ms: ${why}`);
  }

  /**
   * Ends at once; calls in flight, and those that wait for a connection, reject. They are told here: a client that is
   * between two attempts to connect would never say that it has ended.
   */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const closed = (maybeEnqueued: boolean) =>
      new RedisUnavailableError('the connection was closed', { maybeEnqueued });
    for (const end of this.#waiting) end(closed(false));
    for (const reject of this.#inFlight) reject(closed(true));
    this.#link.leave(this.#user);
  }
}
