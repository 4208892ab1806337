/** Numbers that look random, and are the same again for the same seed and name. */
export interface Random {
  /** 0 <= n < most */
  below(most: number): number;
  /** A whole number, both ends included. */
  between(from: number, to: number): number;
  pick<T>(from: readonly T[]): T;
  shuffle<T>(what: readonly T[]): T[];
}

/** @param name what they are for: each purpose has numbers of its own, so that one doesn't shift the others */
export function randomOf(seed: number, name: string): Random {
  let state = hash(`${seed}/${name}`);
  // mulberry32
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (most: number) => Math.floor(next() * most);
  return {
    below,
    between: (from, to) => from + below(to - from + 1),
    pick: (from) => from[below(from.length)]!,
    shuffle: (what) => {
      const rest = [...what];
      return what.map(() => rest.splice(below(rest.length), 1)[0]!);
    },
  };
}

/** FNV-1a. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (const char of text) value = Math.imul(value ^ char.codePointAt(0)!, 0x01000193);
  return value;
}
