/** Random histories against a model, for some seconds. (For longer: `model.long.test.ts`.) */
import t from 'tap';
import { sharedRedis } from '../helpers/setup.ts';
import { playerOn, playHistories } from './model/histories.ts';
import type { Operation } from './model/operations.ts';

void t.test('nothing to do: over when nothing is under way', async (t) => {
  const { url } = await sharedRedis();
  const player = await playerOn(t, url, 2);
  await player.play([{ do: 'crash', worker: 'a' } as Operation]);
  t.equal(player.plain.commandQueue.length, 0, 'else closing the connection ends this process');
});

playHistories(4);
