/** Numbers that look random, and are the same again for the same seed and name. */
import { seeded } from '../../helpers/seeded.ts';

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
  const below = seeded(hash(`${seed}/${name}`));
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
