/** Most calls of `enqueue` under way at once, and most jobs in a call of `enqueueMany`. */
const AT_ONCE = 10_000;

/** The numbers from 0 to n - 1, as many at a time as are enqueued at once. */
export function* portions(n: number): Generator<number[]> {
  for (let from = 0; from < n; from += AT_ONCE) {
    yield Array.from({ length: Math.min(AT_ONCE, n - from) }, (_, i) => from + i);
  }
}
