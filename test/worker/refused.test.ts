/** A turn that the script refuses, again and again: it is taken apart, and only who is to blame fails. */
import { createHash } from 'node:crypto';
import { turnScript } from '../../src/store/scripts/turn.ts';
import { gate } from '../helpers/gate.ts';
import { scene } from '../helpers/setup.ts';
import { until } from '../helpers/until.ts';

/** No settlement is known that the script refuses: here it is made to, for that of one job. */
function refusing(id: string, how: string): void {
  for (const text of [turnScript.flagged, turnScript.plain] as { source: string; sha: string }[]) {
    const begin = /^(?:#!.*\n)?/.exec(text.source)![0];
    const planted = `for i, arg in ipairs(ARGV) do if string.find(arg, '^${id}:%d+:%d+$') and ${how} then error('minq: planted') end end\n`;
    text.source = begin + planted + text.source.slice(begin.length);
    text.sha = createHash('sha1').update(text.source).digest('hex');
  }
}

scene('one settlement that is refused fails its job by name, and the others are settled and claimed', async (t, stage) => {
  // Not what says that it has failed: with that it ends.
  refusing('bad', `not string.find(ARGV[i + 1], '"name":"BadResultError"', 1, true)`);
  const queue = stage.queue();
  const held = gate();
  const runs: string[] = [];
  stage.worker({ f: async (id: string) => { runs.push(id); await held.pass(); return id; } }, { concurrency: 5 });
  const ids = ['a', 'b', 'bad', 'c', 'd'];
  await queue.enqueueMany(ids.map((id) => ({ fn: 'f', args: [id], id, retries: 0 })));
  await until(() => held.running === 5);
  await queue.enqueue('f', ['later'], { id: 'later' });
  held.open();
  for (const id of ['a', 'b', 'c', 'd', 'later']) t.equal(await queue.job(id).result({ timeout: '20s' }), id);
  await t.rejects(queue.job('bad').result({ timeout: '20s' }), { code: 'JOB_FAILED', cause: { name: 'BadResultError', message: /can't be settled: .*minq: planted/ } });
  t.match(await queue.counts(), { completed: 5, failed: 1, active: 0, queued: 0 });
  t.same(runs.sort(), ['a', 'b', 'bad', 'c', 'd', 'later'], 'each ran once');
}); // prettier-ignore
