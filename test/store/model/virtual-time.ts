/**
 * A connection to a real Redis whose scripts live in a time of the test's own. Each script runs as it stands in src,
 * behind a table `redis` that answers `TIME` with the test's clock, remembers when keys that expire are to go, and
 * writes down what is published. So a week passes in no time, and a history has the same outcome whenever it runs.
 */
import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';
import { Connection } from '../../../src/redis/connection.ts';
import type { Script } from '../../../src/redis/script.ts';

/** Keys of the test's own, beside those of minq. */
export const PUBLISHED = 'test:published';
const EXPIRIES = 'test:expiries';

const PRELUDE = `
local redis = (function(real)
  local now = table.remove(ARGV)
  local function answer(how, name, ...)
    if name == 'TIME' then return { string.sub(now, 1, -4), string.sub(now, -3) .. '000' } end
    if name == 'PUBLISH' then return real.call('RPUSH', '${PUBLISHED}', table.concat({ ... }, ' ')) end
    if name == 'SET' and select(3, ...) == 'PX' then
      local key, value, _, ms = ...
      real.call('ZADD', '${EXPIRIES}', now + ms, key)
      return real.call('SET', key, value)
    end
    return how(name, ...)
  end
  return {
    call = function(...) return answer(real.call, ...) end,
    pcall = function(...) return answer(real.pcall, ...) end,
  }
end)(redis)`;

const EXPIRE = `
for _, key in ipairs(redis.call('ZRANGE', '${EXPIRIES}', '-inf', '(' .. ARGV[1], 'BYSCORE')) do
  redis.call('DEL', key)
  redis.call('ZREM', '${EXPIRIES}', key)
end`;

const texts = new WeakMap<Script, { source: string; sha: string }>();

function inVirtualTime(script: Script): { source: string; sha: string } {
  let text = texts.get(script);
  if (!text) {
    const [header, ...rest] = script.flagged.source.split('\n');
    const source = [header, PRELUDE.trim(), ...rest].join('\n');
    text = { source, sha: createHash('sha1').update(source).digest('hex') };
    texts.set(script, text);
  }
  return text;
}

export class VirtualTime extends Connection {
  /** Epoch ms. */
  now = 0;
  readonly #loaded = new Set<string>();

  constructor(url: string) {
    super(url, { name: 'minq:model', callTimeoutMs: 60_000, alone: true });
  }

  /** The client, for looking at what is stored, in the order of the calls. */
  plain!: Redis;

  async connect(): Promise<void> {
    await this.call((client) => (this.plain = client).ping());
  }

  /** Calls made meanwhile go out together. */
  together<T>(calls: () => T): T {
    const { stream } = this.plain;
    stream.cork();
    try {
      return calls();
    } finally {
      stream.uncork();
    }
  }

  /** Nothing is stored, and it is this time. */
  async reset(now: number): Promise<void> {
    this.now = now;
    await this.plain.flushdb();
  }

  /** Sent at once, whatever is on its way: so calls made in a row are carried out in a row. */
  override run(script: Script, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    const { source, sha } = inVirtualTime(script);
    const last = String(this.now);
    return this.call((client) => {
      if (this.#loaded.has(sha)) return client.evalsha(sha, keys.length, ...keys, ...args, last);
      this.#loaded.add(sha);
      return client.eval(source, keys.length, ...keys, ...args, last);
    });
  }

  /** Time passes; keys that expire go. */
  pass(ms: number): Promise<unknown> {
    this.now += ms;
    return this.plain.eval(EXPIRE, 0, String(this.now));
  }
}
