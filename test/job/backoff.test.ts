import t from 'tap';
import { backoffMs, type Backoff } from '../../src/job/backoff.ts';
import { RUN_DEFAULTS } from '../../src/job/checks.ts';

const backoff = (over: Partial<Backoff>): Backoff => ({
  type: 'exponential',
  delay: 1_000,
  max: 600_000,
  jitter: 0,
  ...over,
});

void t.test('exponential: each wait is twice the one before, up to the longest', async (t) => {
  const waits = [1, 2, 3, 4, 10, 11, 100, 1e6].map((failed) => backoffMs(backoff({}), failed));
  t.same(waits, [1_000, 2_000, 4_000, 8_000, 512_000, 600_000, 600_000, 600_000]);
});

void t.test('fixed: every wait is the same, and no longer than the longest', async (t) => {
  t.same(
    [1, 2, 50].map((failed) => backoffMs(backoff({ type: 'fixed' }), failed)),
    [1_000, 1_000, 1_000],
  );
  t.equal(backoffMs(backoff({ type: 'fixed', max: 300 }), 1), 300);
});

void t.test('jitter is the share of the wait that is drawn', async (t) => {
  const wait = (jitter: number, drawn: number) => backoffMs(backoff({ jitter }), 3, () => drawn);
  t.equal(wait(0, 0.999), 4_000);
  t.equal(wait(1, 0), 4_000);
  t.equal(wait(1, 0.25), 3_000);
  t.equal(wait(1, 0.99999), 0);
  t.equal(wait(0.5, 0.5), 3_000);
  t.equal(wait(0.5, 0.99999), 2_000);
});

void t.test('with the defaults the waits of many jobs spread over the whole range', async (t) => {
  const waits = Array.from({ length: 2_000 }, () => backoffMs(RUN_DEFAULTS.backoff, 4));
  t.ok(waits.every((ms) => Number.isInteger(ms) && ms >= 0 && ms <= 8_000));
  for (let from = 0; from < 8_000; from += 2_000) {
    const share = waits.filter((ms) => ms >= from && ms < from + 2_000).length / waits.length;
    t.ok(share > 0.15 && share < 0.35, `${share} of the waits lie in the 2 s after ${from} ms`);
  }
});

void t.test('a wait of nothing stays nothing', async (t) => {
  t.equal(backoffMs(backoff({ delay: 0, jitter: 1 }), 20), 0);
  t.equal(backoffMs(backoff({ max: 0, jitter: 1 }), 20), 0);
});
