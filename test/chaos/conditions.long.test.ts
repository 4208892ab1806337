/** The scenarios in which the network, Redis or the data is bad, in their short forms; some run beside each other. */
import t from 'tap';
import { minq } from './libraries/minq.ts';
import type { Scenario } from './scenario.ts';
import cronBeats from './scenarios/cron-beats.ts';
import demotion from './scenarios/demotion.ts';
import fullMemory from './scenarios/full-memory.ts';
import halfOpen from './scenarios/half-open.ts';
import hostileData from './scenarios/hostile-data.ts';
import interruptions from './scenarios/interruptions.ts';
import lostReplies from './scenarios/lost-replies.ts';
import manyDelayed from './scenarios/many-delayed.ts';
import noHost from './scenarios/no-host.ts';
import redisEmptied from './scenarios/redis-emptied.ts';
import saveFailed from './scenarios/save-failed.ts';

t.setTimeout(240_000);
t.jobs = 4;

const seed = Math.floor(Math.random() * 2 ** 31);

/** Those that mostly wait run beside each other; those that fill the processor one after the other, before. */
const BUSY: readonly Scenario[] = [manyDelayed, hostileData];
const WAITING: readonly Scenario[] = [
  cronBeats,
  halfOpen,
  interruptions,
  fullMemory,
  noHost,
  saveFailed,
  demotion,
  redisEmptied,
  lostReplies,
];

for (const scenario of [...BUSY, ...WAITING]) {
  const buffered = WAITING.includes(scenario);
  void t.test(`${scenario.name}: ${scenario.what}`, { buffered }, async (test) => {
    test.comment(`seed ${seed}`);
    const say = (line: string) => test.comment(line);
    const outcome = await scenario.run({ library: minq, seed, full: false, say });
    test.same(outcome.broken, [], 'what is promised holds');
    test.equal(outcome.lost, 0, `of ${outcome.accepted} accepted jobs none is lost`);
    test.ok(outcome.accepted > 0);
  });
}
