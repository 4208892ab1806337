/**
 * Random histories against the real scripts on a real Redis, and against a plain model: whatever happens in
 * whatever order, answers and states are those that were promised. What fails is shrunk to a history as short as can be.
 *
 * MINQ_MODEL_SEED and MINQ_MODEL_PATH, as a failure prints them, play that history again; with MINQ_MODEL_SECONDS it
 * looks for so long.
 */
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { sharedRedis } from '../../helpers/setup.ts';
import { history } from './operations.ts';
import { Player } from './play.ts';
import { VirtualTime } from './virtual-time.ts';

const { env } = process;
const SEED = Number(env['MINQ_MODEL_SEED'] ?? Date.now() % 1e9);
const PATH = env['MINQ_MODEL_PATH'];
/** Histories drawn from one seed. */
const BATCH = 50;
/** One plays while the other's answers are on their way; each has a database of its own. */
const PLAYERS = PATH ? 1 : 2;

export async function playerOn(t: Test, url: string, database: number): Promise<Player> {
  const time = new VirtualTime(`${url}/${database}`);
  t.teardown(() => time.close());
  const player = new Player(time);
  await player.prepare();
  return player;
}

/** @param usual how many seconds to look for a history that breaks a promise */
export function playHistories(usual: number): void {
  const SECONDS = Number(env['MINQ_MODEL_SECONDS'] ?? usual);
  t.setTimeout((SECONDS + 100) * 1_000); // a batch is played to its end, a failure is shrunk

  void t.test(`histories as promised (MINQ_MODEL_SEED=${SEED})`, async (t) => {
    const { url } = await sharedRedis();
    const players = await Promise.all(
      Array.from({ length: PLAYERS }, (_, i) => playerOn(t, url, i)),
    );
    const began = performance.now();
    const seconds = () => (performance.now() - began) / 1_000;
    let seed = SEED;
    let played = 0;
    const failures: string[] = [];

    const playOn = async (player: Player) => {
      while (failures.length === 0 && seconds() < SECONDS) {
        const mine = seed++;
        const property = fc.asyncProperty(history, (operations) => player.play(operations));
        const path = PATH && { path: PATH };
        const found = await fc.check(property, { seed: mine, numRuns: BATCH, ...path });
        played += found.numRuns;
        if (found.failed) {
          const again = `MINQ_MODEL_SEED=${mine} MINQ_MODEL_PATH=${found.counterexamplePath}`;
          t.comment(`${(found.errorInstance as Error).message}\n\nTo play it again:\n${again}`);
          failures.push(again);
        }
        if (PATH) return;
      }
    };
    await Promise.all(players.map(playOn));
    t.comment(`${played} histories in ${seconds().toFixed(1)} s: ${Math.round((played / seconds()) * 60)} a minute`); // prettier-ignore
    t.same(failures, [], 'model and Redis agree');
  });
}
