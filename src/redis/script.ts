/**
 * Declares a Lua script once: its keys and arguments by name. From the declaration come the Lua locals,
 * the key count and the TypeScript type of the call, so that no position is ever counted by hand.
 *
 * In the Lua text every declared key and argument is a local of its name, and `REST` is the index in ARGV
 * where the variable part begins. What it says of `numbers` is checked before the script writes anything.
 */
import { createHash } from 'node:crypto';

/** A piece of Lua several scripts share, with the keys it touches. */
export interface Fragment {
  readonly keys: readonly string[];
  readonly lua: string;
}

export interface Script<Arg extends string = string> {
  readonly name: string;
  readonly keys: readonly string[];
  readonly args: readonly Arg[];
  /** With the `#!lua` header, for Redis 7 and later. */
  readonly flagged: ScriptText;
  /** Without it, for servers that don't know it (Redis 6.2, js-redis-server). */
  readonly plain: ScriptText;
}

export interface ScriptText {
  readonly source: string;
  readonly sha: string;
}

export interface ScriptDefinition<Arg extends string> {
  name: string;
  /**
   * `allow-oom`: works when Redis has reached maxmemory. For what frees memory or keeps running jobs alive;
   * never for what stores something new. `no-writes`: may run on a replica and while writes are paused.
   */
  flags?: 'allow-oom' | 'no-writes';
  /** Names of keys, as in keys.ts. Keys of the fragments are added. */
  keys: readonly string[];
  args: readonly Arg[];
  /** Those of the arguments that are whole numbers from 0: anything else ends the script before it has begun. */
  numbers?: readonly Arg[];
  uses?: readonly Fragment[];
  lua: string;
}

/** `amount(text)`: the number it stands for, from 0 to what a double counts exactly; `whole(text)`: without a fraction. Else an error. */
const WHOLE = `
local function amount(text)
  local n = tonumber(text)
  -- Minus zero is refused: the text of it is no number to a command.
  if n and n >= 0 and 1 / n > 0 and n <= 9007199254740991 then return n end
  error('minq: an argument is no amount')
end
local function whole(text)
  local n = amount(text)
  if n % 1 == 0 then return n end
  error('minq: an argument is no whole number')
end`.trim();

const called = new Set<string>();

/** Every command that a script calls: what a user of Redis must be allowed. */
export const commandsOfScripts: ReadonlySet<string> = called;

export function defineScript<const Arg extends string = never>(
  definition: ScriptDefinition<Arg>,
): Script<Arg> {
  const uses = definition.uses ?? [];
  const keys = [...new Set([...definition.keys, ...uses.flatMap((fragment) => fragment.keys)])];
  const body = [
    ...locals(keys, 'KEYS'),
    ...locals(definition.args, 'ARGV'),
    `local REST = ${definition.args.length + 1}`,
    ...(definition.numbers ? [WHOLE, ...definition.numbers.map((name) => `whole(${name})`)] : []),
    ...uses.map((fragment) => fragment.lua.trim()),
    definition.lua.trim(),
  ].join('\n');
  for (const [, command] of body.matchAll(/redis\.call\('([A-Z]+)'/g)) called.add(command!);
  const flags = definition.flags ? ` flags=${definition.flags}` : '';
  return {
    name: definition.name,
    keys,
    args: definition.args,
    flagged: withSha(`#!lua${flags}\n${body}`),
    // Before Redis 7 a script that begins with a write that needs no memory may finish under maxmemory.
    plain: withSha(
      definition.flags === 'allow-oom' ? `redis.call('PERSIST', KEYS[1])\n${body}` : body,
    ),
  };
}

const locals = (names: readonly string[], from: 'KEYS' | 'ARGV') =>
  names.map((name, i) => `local ${name} = ${from}[${i + 1}]`);

const withSha = (source: string): ScriptText => ({
  source,
  sha: createHash('sha1').update(source).digest('hex'),
});
