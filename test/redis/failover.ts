import type { Test } from 'tap';
import type { Ground } from '../helpers/distributed.ts';
import { produce } from '../helpers/load.ts';
import type { Watched } from '../helpers/sentinel.ts';
import { until } from '../helpers/until.ts';

/** After so long, all clients have heard of a new master. */
const HEARD_MS = 2_500;
export const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Enqueues and works while another becomes the master. */
export async function failover(
  t: Test,
  ground: Ground,
  servers: Watched,
  fault: () => Promise<unknown>,
) {
  const ended: number[] = [];
  const work = { work: () => sleep(5).then(() => void ended.push(performance.now())) };
  const options = { lease: 2_000, callTimeout: 1_500 };
  ground.worker('fault', work, options);
  ground.worker('fault', work, options);
  const queue = ground.queue('fault', { callTimeout: 1_500 });
  const load = produce(queue, 'work', 'n');
  await until(() => ended.length > 200);
  const old = await servers.master();
  const begun = performance.now();
  const done = fault();
  await until(async () => (await servers.master()) !== old, { what: 'another is promoted' });
  const promoted = performance.now();
  const last = () => [load.accepted.at(-1)!.at, ended.at(-1)!];
  await until(() => last().every((at) => at > promoted), { what: 'work resumes' });
  const resumed = Math.max(...last()) - promoted;
  await done;
  const before = ended.length;
  await until(() => ended.length > before + 200, { what: 'work goes on' });
  await until(() => performance.now() > promoted + 2 * HEARD_MS); // who hasn't heard of it by then is found out
  await load.stop();
  const fresh = ground.queue('fault');
  await until(async () => (await load.fate(fresh)).unfinished === 0, {
    what: 'all that is known ends',
  });
  const { gone } = await load.fate(fresh);
  const lost = load.accepted.filter(({ id }) => gone.includes(id)).map(({ at }) => at - promoted);
  const toPromotion = Math.round(promoted - begun);
  t.comment(`promoted ${toPromotion} ms after the fault; resumed ${Math.round(resumed)} ms later`);
  t.comment(`lost with the old master: ${lost.length} of ${load.accepted.length} accepted jobs`);
  t.ok(resumed < 5_000, `work resumes within 5 s of the promotion: ${Math.round(resumed)} ms`);
  // What a master accepts is not on its replicas at once, and one that is replaced goes on accepting until everybody
  // has heard of it. Nothing in a client closes that gap; minq must not widen it.
  t.ok(lost.every((at) => at > -toPromotion - 1_000 && at < HEARD_MS), 'lost is only what was accepted at the change'); // prettier-ignore
  t.notOk(ground.log.some((line) => /run rejected/.test(line)), 'no worker gave up'); // prettier-ignore
  t.equal((await queue.workers()).length, 2);
}
