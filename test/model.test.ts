/**
 * Random histories against the real scripts on a real Redis, and against a plain model (model/): whatever happens in
 * whatever order, answers and states are those that were promised. What fails is shrunk to a history as short as can be.
 *
 * MINQ_MODEL_SEED and MINQ_MODEL_PATH, as a failure prints them, play its histories again; MINQ_MODEL_SECONDS looks for longer.
 */
import fc from 'fast-check';
import t from 'tap';
import { sharedRedis } from './helpers/setup.ts';
import { history } from './model/operations.ts';
import { Player } from './model/play.ts';
import { VirtualTime } from './model/virtual-time.ts';

const { env } = process;
const SEED = Number(env['MINQ_MODEL_SEED'] ?? Date.now() % 1e9);
const SECONDS = Number(env['MINQ_MODEL_SECONDS'] ?? 20);
/** Histories played under one seed: a failure is found again by playing them. */
const BATCH = 250;

t.setTimeout((SECONDS + 100) * 1_000); // a batch is played to its end, a failure is shrunk
void t.test(`histories as promised (MINQ_MODEL_SEED=${SEED})`, async (t) => {
  const redis = await sharedRedis();
  const time = new VirtualTime(redis.url);
  t.teardown(() => time.close());
  const player = new Player(time);
  await player.prepare();
  const began = performance.now();
  const seconds = () => (performance.now() - began) / 1_000;
  let played = 0;
  for (let seed = SEED; seconds() < SECONDS; seed++) {
    const property = fc.asyncProperty(history, (operations) => player.play(operations));
    const path = env['MINQ_MODEL_PATH'];
    const found = await fc.check(property, { seed, numRuns: BATCH, ...(path && { path }) });
    played += found.numRuns;
    if (found.failed) {
      t.comment((found.errorInstance as Error).message);
      t.fail(`history ${played}, shrunk ${found.numShrinks} times; to play it again: MINQ_MODEL_SEED=${seed} MINQ_MODEL_PATH=${found.counterexamplePath}`);
      return;
    }
  }
  t.comment(`${played} histories in ${seconds().toFixed(1)} s: ${Math.round((played / seconds()) * 60)} a minute`);
  t.pass('model and Redis agreed');
}); // prettier-ignore
