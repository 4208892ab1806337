/**
 * A Redis whose clock is ours: that of this process, set forward. Scripts ask Redis for the time in one place, the fragment
 * `clock`; here they are told it. So the whole of minq lives in that time, and production has nothing of it. (A Redis in this
 * process has no clock of its own: fake timers of a test stop it, or set it to 1970.)
 */
import { createHash } from 'node:crypto';
import type { Cluster, Redis } from 'ioredis';
import { now } from '../job/globals.ts';
import { makeClient, type RedisSource } from '../redis/client.ts';
import { clock as fragment } from '../store/scripts/fragments.ts';

const CLOCK = fragment.lua.trim();
/** It comes as the last argument: so the text, which Redis keeps, is always the same. */
const TAKE = 'local moment = tonumber(table.remove(ARGV))';

export class Clock {
  /** How far it is ahead, ms. */
  aheadMs = 0;
  /** By the hash of what is written in src: what is sent in its place. */
  readonly #texts = new Map<string, { source: string; sha: string }>();

  /** Epoch ms. */
  now(): number {
    return now() + this.aheadMs;
  }

  /** The same Redis, by this clock: for queues and workers of this process. */
  of(source: RedisSource): RedisSource {
    const duplicate = ({ connectionName: name }: { connectionName: string }) =>
      this.#setForward(makeClient(source, { name, resend: true }));
    return { options: {}, duplicate };
  }

  #setForward(client: Redis | Cluster): Redis | Cluster {
    const own = client as unknown as Record<'eval' | 'evalsha' | 'time', Call>;
    const { eval: evaluate, evalsha } = own;
    own.eval = (source, ...rest) =>
      evaluate.call(client, this.#inTime(source).source, ...rest, String(this.now()));
    own.evalsha = (sha, ...rest) =>
      evalsha.call(client, this.#texts.get(sha!)!.sha, ...rest, String(this.now()));
    own.time = async () => [String(Math.floor(this.now() / 1_000)), `${this.now() % 1_000}000`];
    return client;
  }

  #inTime(original: string): { source: string; sha: string } {
    const sha = shaOf(original);
    let text = this.#texts.get(sha);
    if (!text) {
      const [header, ...rest] = original.split('\n');
      const lines = header!.startsWith('#!') ? [header, TAKE, ...rest] : [TAKE, header, ...rest];
      const source = lines
        .join('\n')
        .replace(CLOCK, () => `${CLOCK}\nnow = moment stamp = text(now)`);
      text = { source, sha: shaOf(source) };
      this.#texts.set(sha, text);
    }
    return text;
  }
}

type Call = (...args: string[]) => unknown;

const shaOf = (source: string) => createHash('sha1').update(source).digest('hex');
