/** A rejection nobody handles fails the job it came out of, and no other; in a real process, for it would end it. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { TYPESCRIPT } from '../helpers/processes.ts';
import { scene, type Stage } from '../helpers/setup.ts';
import { until } from '../helpers/until.ts';

const FIXTURE = path.resolve(import.meta.dirname, '../fixtures/worker/floating.ts');

async function start(stage: Stage, workers: number) {
  const child = fork(FIXTURE, [stage.redis.url, stage.name, String(workers)], {
    execArgv: [TYPESCRIPT],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let said = '';
  child.stderr!.on('data', (text: Buffer) => (said += String(text)));
  const exited = once(child, 'exit') as Promise<[number | null]>;
  stage.onEnd(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  const queue = stage.queue();
  await until(async () => (await queue.workers()).length === workers, {
    what: 'the workers are there',
  });
  return { child, queue, exited, said: () => said };
}

for (const workers of [1, 2]) {
  scene(
    `floating rejections, ${workers} in the process: the job fails, the others go on`,
    async (t, stage) => {
      const { child, queue, exited, said } = await start(stage, workers);
      const steady = await queue.enqueue('steady', [500]);
      const during = await queue.enqueue('during', [], { retries: 0 });
      await t.rejects(during.result({ timeout: '20s' }), {
        cause: { name: 'TypeError', message: 'nobody looked', stack: /floating\.ts/ },
      });
      const after = await queue.enqueue('after');
      t.equal(await after.result({ timeout: '20s' }), 'fine');
      await until(() => said().includes(`too late for ${after.id}`), { what: 'it is logged' });
      t.equal(said().split(`too late for ${after.id}`).length, 2, 'once');
      t.equal(await after.state(), 'completed', 'its outcome stays as it is');
      t.equal(await steady.result({ timeout: '20s' }), 'steady');
      t.equal(await (await queue.enqueue('steady', [1])).result({ timeout: '20s' }), 'steady');
      t.equal(child.exitCode, null, 'the process has lived through it');
      child.send('stop');
      t.same((await exited)[0], 0, said());
    },
  );
}

scene('a rejection outside of any job ends the process, as Node has it', async (t, stage) => {
  const { child, exited, said } = await start(stage, 1);
  child.send('reject');
  t.equal((await exited)[0], 1);
  t.match(said(), /the app did it/);
});
