/** Reads of all viewers together: a few at a time, and equal ones that are wanted at the same time once. */
import pLimit from 'p-limit';

const AT_ONCE = 4;

export class Reads {
  readonly #limit = pLimit(AT_ONCE);
  readonly #underWay = new Map<string, Promise<object>>();

  /** @param what says whether two reads are equal */
  share(what: string, read: () => Promise<object>): Promise<object> {
    const before = this.#underWay.get(what);
    if (before) return before;
    const reading = this.#limit(read).finally(() => {
      if (this.#underWay.get(what) === reading) this.#underWay.delete(what);
    });
    this.#underWay.set(what, reading);
    return reading;
  }

  /** Something was done: whoever reads from now on must see it, and joins no read that began before. */
  forget(): void {
    this.#underWay.clear();
  }
}
