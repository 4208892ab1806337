/** The checker of a storm has to see what is wrong: it is given histories with a fault in them. */
import t from 'tap';
import type { Ended } from './storm/books.ts';
import type { Line } from './storm/evidence.ts';
import { growthOf, hasGrown } from './storm/growth.ts';
import type { History } from './storm/history.ts';
import { expected, planned, type Kind } from './storm/plan.ts';
import { judge } from './storm/verdict.ts';

/** A history without a fault, to which something can be done. */
class Story {
  readonly calls: Line[] = [];
  readonly runs: Line[] = [];
  readonly ended = new Map<string, Ended>();
  readonly unfinished: string[] = [];
  readonly seen: string[] = [];
  readonly counters = { enqueued: 0, completed: 0, failed: 0, cancelled: 0, refused: 0 };
  #at = 1_000;

  call(what: string, key: string, id = '-', more = ''): void {
    this.calls.push({ what, pid: 1, at: this.#at++, key, id, attempt: 0, more });
  }

  run(what: string, key: string, id: string, attempt: number, more: string): void {
    this.runs.push({ what, pid: 2, at: this.#at++, key, id, attempt, more });
  }

  /** A run from its start to its end. @returns its name */
  whole(key: string, id: string, attempt: number, how: 'end' | 'fail' = 'end', result?: unknown) {
    const name = `2.${this.runs.length}`;
    this.run('start', key, id, attempt, name);
    const more = how === 'end' ? `${name} ${JSON.stringify(result ?? name)}` : name;
    this.run(how, key, id, attempt, more);
    return name;
  }

  settled(id: string, state: Ended['state'], more: Partial<Ended> = {}): void {
    this.ended.set(id, { state, attempt: 1, newestAttempt: 1, ...more });
    this.counters.enqueued++;
    this.counters[state]++;
  }

  judge(): string[] {
    const { calls, runs, ended, unfinished, seen, counters } = this;
    const history: History = {
      seed: 1,
      calls,
      runs,
      books: { ended, unfinished, givenUp: 0 },
      counters,
      seen,
    };
    const { lost, unexpected, broken } = judge(history);
    return [...lost, ...unexpected, ...broken];
  }
}

/** The first of its kind by seed 1. */
const plan = (kind: Kind) => {
  for (let n = 0; ; n++) if (planned(1, n).kind === kind) return planned(1, n);
};
const PLAIN = plan('plain').key;
const FLAKY = plan('flaky').key;
const DOOMED = plan('doomed').key;
const ONCE = plan('once').key;
const CANCELLED = plan('cancelled').key;
const AWAITED = plan('awaited').key;
const CHORD = plan('chord');

/** One of every sort, all well. */
function goodStory(): Story {
  const story = new Story();
  for (const key of [PLAIN, ONCE, FLAKY, DOOMED, CANCELLED, AWAITED]) {
    story.call('attempt', key);
    story.call('accept', key, `id-${key}`);
  }
  story.settled(`id-${PLAIN}`, 'completed', { result: story.whole(PLAIN, `id-${PLAIN}`, 1) });
  story.run('start', ONCE, `id-${ONCE}`, 1, '2.0'); // its worker died then
  story.settled(`id-${ONCE}`, 'failed');
  story.whole(FLAKY, `id-${FLAKY}`, 1, 'fail');
  const result = story.whole(FLAKY, `id-${FLAKY}`, 2);
  story.settled(`id-${FLAKY}`, 'completed', { result, attempt: 2, newestAttempt: 2 });
  story.whole(DOOMED, `id-${DOOMED}`, 1, 'fail');
  story.settled(`id-${DOOMED}`, 'failed');
  const mourned = story.whole(`${DOOMED}/mourn`, `id-${DOOMED}:failure:1`, 1);
  story.settled(`id-${DOOMED}:failure:1`, 'completed', { result: mourned });
  story.call('cancel', CANCELLED, `id-${CANCELLED}`);
  story.settled(`id-${CANCELLED}`, 'cancelled', { attempt: undefined });
  const heard = story.whole(AWAITED, `id-${AWAITED}`, 1);
  story.settled(`id-${AWAITED}`, 'completed', { result: heard });
  story.call('result', AWAITED, `id-${AWAITED}`, JSON.stringify(heard));

  const { result: all, places } = expected(CHORD);
  story.call('attempt', CHORD.key);
  story.call('accept', CHORD.key, `flow.${places - 1}`);
  for (let place = 0; place < places; place++) {
    const given = place === places - 1 ? all : place;
    story.whole(`${CHORD.key}/${place}`, `flow.${place}`, 1, 'end', given);
    story.settled(`flow.${place}`, 'completed', { result: given });
  }
  for (const tick of [5_000, 6_000, 7_000]) {
    const id = `cron:tick:${tick}`;
    story.settled(id, 'completed', { result: story.whole('tick', id, 1) });
  }
  return story;
}

const drop = (lines: Line[], unwanted: (line: Line) => boolean) =>
  lines.splice(0, lines.length, ...lines.filter((line) => !unwanted(line)));

const FAULTS: Record<string, [spoil: (story: Story) => unknown, said: RegExp]> = {
  'an accepted job that no run finished': [
    ({ runs }) => drop(runs, ({ what, key }) => what === 'end' && key === PLAIN),
    /^lost: plain-\d+ .* never completed/,
  ],
  'a job that failed with its worker, and had not begun': [
    ({ runs }) => drop(runs, ({ key }) => key === ONCE),
    /^lost: once-\d+ .* failed without ever having begun/,
  ],
  'an accepted job without an outcome': [
    ({ ended }) => ended.delete(`id-${PLAIN}`),
    /^lost: plain-\d+ .* has no outcome/,
  ],
  'a job at no end': [({ unfinished }) => unfinished.push('id-0'), /^job id-0 is at no end/],
  'a chord without its callback': [
    ({ runs }) => drop(runs, ({ id }) => id === `flow.${expected(CHORD).places - 1}`),
    /^lost: chord-\d+ .* its step \d+ never completed/,
  ],
  'a callback that lacks a result': [
    ({ ended }) => {
      const id = `flow.${expected(CHORD).places - 1}`;
      ended.set(id, { ...ended.get(id)!, result: (expected(CHORD).result as number[]).slice(1) });
    },
    /^flow chord-\d+ gave .* instead of/,
  ],
  'a failure without the job that was to follow it': [
    ({ runs }) => drop(runs, ({ key }) => key.endsWith('/mourn')),
    /^lost: doomed-\d+ .* the job for its failure never completed/,
  ],
  'a tick that was missed': [
    ({ runs }) => drop(runs, ({ id }) => id === 'cron:tick:6000'),
    /^lost: the tick of 1970-01-01T00:00:06.000Z never ran/,
  ],
  'a run nobody asked for': [
    ({ calls }) => drop(calls, ({ key }) => key === PLAIN),
    /^unexpected: plain-\d+ ran \(job id-plain-\d+\), and nobody had asked/,
  ],
  'a run of something that is in no plan': [
    (story) => story.whole('plain-x', 'id-x', 1),
    /^unexpected: plain-x ran/,
  ],
  'one call that made two jobs': [
    (story) => story.whole(PLAIN, 'another', 1),
    /^unexpected: plain-\d+ was asked for once, and is the jobs id-plain-\d+, another/,
  ],
  'one flow that was begun twice': [
    (story) => story.whole(`${CHORD.key}/0`, 'other.0', 1),
    /^unexpected: chord-\d+ was asked for once, and is the jobs flow, other/,
  ],
  'an attempt that was forgiven more than once': [
    (story) => {
      for (const name of ['3.1', '3.2']) story.run('start', PLAIN, `id-${PLAIN}`, 1, name);
    },
    /^attempt 1 of plain-\d+ \(job id-plain-\d+\) started 3 times/,
  ],
  'a job settled twice': [
    ({ counters }) => counters.completed++,
    /^settled (\d+) times .* and there were \d+ jobs/,
  ],
  'a job counted twice when it was enqueued': [
    ({ counters }) => counters.enqueued++,
    /^enqueued: \d+ counted, and \d+ are there/,
  ],
  'an outcome of an older run, the newest being done': [
    (story) => story.whole(PLAIN, `id-${PLAIN}`, 2),
    /^job id-plain-\d+: attempt 1 is recorded .* the newest run was attempt 2/,
  ],
  'an outcome of an older ticket': [
    ({ ended }) => ended.set(`id-${PLAIN}`, { ...ended.get(`id-${PLAIN}`)!, newestAttempt: 2 }),
    /^job id-plain-\d+: the outcome is of attempt 1, and its newest ticket of attempt 2/,
  ],
  "a result that is no run's": [
    ({ ended }) => ended.set(`id-${PLAIN}`, { ...ended.get(`id-${PLAIN}`)!, result: '9.9' }),
    /^job id-plain-\d+: attempt 1 is recorded with "9.9"/,
  ],
  'a result that was told wrongly': [
    ({ calls }) => {
      drop(calls, ({ what }) => what === 'result');
      calls.push({
        what: 'result',
        pid: 1,
        at: 1,
        key: AWAITED,
        id: '-',
        attempt: 0,
        more: '"9.9"',
      });
    },
    /^who waited for awaited-\d+ heard "9.9"/,
  ],
  'a good job that failed': [
    ({ ended }) => ended.set(`id-${PLAIN}`, { state: 'failed', newestAttempt: 1 }),
    /^job id-plain-\d+ \(plain-\d+\) is failed, and should have completed/,
  ],
  'a job cancelled by nobody': [
    ({ calls }) => drop(calls, ({ what }) => what === 'cancel'),
    /^lost: cancelled-\d+/,
  ],
};

void t.test('the checker finds nothing in a history without a fault', async (t) => {
  t.same(goodStory().judge(), []);
});

for (const [what, [spoil, said]] of Object.entries(FAULTS)) {
  void t.test(`the checker names ${what}`, async (t) => {
    const story = goodStory();
    spoil(story);
    const found = story.judge();
    t.ok(
      found.some((line) => said.test(line)),
      found.join('\n') || 'nothing was found',
    );
  });
}

void t.test('the checker passes on what processes say of themselves', async (t) => {
  const story = goodStory();
  story.call('hung', PLAIN);
  story.call('unhandled', '-', '-', 'Error: nobody');
  story.call('refused', PLAIN, '-', 'RedisCommandError: no');
  story.run('warning', '-', '-', 0, 'MaxListenersExceededWarning');
  story.run('error', '-', '-', 0, 'turn failed, trying again: Redis refused: ERR x');
  story.run('error', '-', '-', 0, 'turn failed, trying again: no connection'); // to be expected
  story.seen.push('invariant: job 5 is in 2 places');
  t.same(story.judge(), [
    'invariant: job 5 is in 2 places',
    `process 1, ${PLAIN}: a call did not end`,
    'process 1: nobody caught Error: nobody',
    `process 1, ${PLAIN}: a call failed that should not: RedisCommandError: no`,
    'process 2: Node warned of MaxListenersExceededWarning',
    'process 2: turn failed, trying again: Redis refused: ERR x',
  ]);
});

void t.test('runs beyond the first are counted, but for those after a failure', async (t) => {
  const story = goodStory();
  story.run('start', PLAIN, `id-${PLAIN}`, 2, '4.1'); // its worker was killed
  story.whole(PLAIN, `id-${PLAIN}`, 3);
  const { calls, runs, counters, seen } = story;
  t.equal(judge({ seed: 1, calls, runs, counters, seen }).extraRuns, 2);
});

void t.test('growth is told from noise', async (t) => {
  const bound = { factor: 1.2, more: 5 };
  const noisy = (slope: number) =>
    Array.from({ length: 100 }, (_, i) => (i < 10 ? 0 : 100) + (i % 7) + slope * i);
  t.notOk(hasGrown(growthOf('flat', noisy(0), bound)));
  t.ok(hasGrown(growthOf('leak', noisy(1), bound)));
  t.throws(() => growthOf('short', [1, 2, 3], bound), /too few/);
});
