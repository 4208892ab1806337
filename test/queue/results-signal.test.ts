/** One signal for many waits, as in a program that stops all of them at once. */
import { once } from 'node:events';
import { scene } from '../helpers/setup.ts';

scene('many waits share a signal: no warning, and its abort ends them all', async (t, stage) => {
  const warnings: string[] = [];
  const onWarning = (warning: Error) => void warnings.push(warning.message);
  process.on('warning', onWarning);
  t.teardown(() => process.off('warning', onWarning));

  const queue = stage.queue();
  const stop = new AbortController();
  const jobs = await Promise.all(Array.from({ length: 50 }, () => queue.enqueue('nobody')));
  const waits = Promise.allSettled(jobs.map((job) => job.result({ signal: stop.signal })));
  stop.abort(new Error('enough'));
  for (const wait of await waits) t.match(wait, { reason: { message: 'enough' } });

  // Node emits warnings in order: when ours has arrived, none is still under way.
  const last = once(process, 'warning');
  process.emitWarning('the last one');
  await last;
  t.same(warnings, ['the last one']);
});
