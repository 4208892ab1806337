/** Ticks of cron while workers are frozen and killed, and after nobody was there: each is fired once. */
import { currentJob, job } from '../../../src/index.ts';
import { workerProcesses } from '../../helpers/processes.ts';
import { until } from '../../helpers/until.ts';
import type { Scenario } from '../scenario.ts';
import { onStand, QUEUE, sleep, type Stand } from '../stand.ts';

/** How long one is frozen, and how long it may work in between. Its lease, and the second after which others fire, are over by then. */
const FROZEN_MS = 2_500;
const THAWED_MS = 1_000;

export default {
  name: 'cron-beats',
  what: 'five workers, a tick every second, one frozen again and again, the beat killed; then nobody there',
  libraries: ['minq'],
  run: ({ full, say }) =>
    onStand(async (stand) => {
      const ticks = await harassed(stand, full ? 60 : 20, say);
      await caughtUp(stand, full ? 300_000 : 4_000, say);
      return { accepted: ticks.map((tick) => `cron:second:${tick}`), recoveredMs: [] };
    }),
} satisfies Scenario;

/** @returns the ticks that were to be fired */
async function harassed(stand: Stand, count: number, say: (line: string) => void) {
  const processes = workerProcesses(stand, 'cron/worker.ts');
  const queue = stand.queue();
  const start = () => processes.start({ redis: stand.redis.url, queue: QUEUE, lease: 1_000 });
  const ran = () =>
    processes.entries().flatMap(({ what, id }) => (what === 'tick' ? [Number(id)] : []));
  const workers = await Promise.all(Array.from({ length: 5 }, start));
  await until(() => ran().length > 0);
  const first = ran()[0]!;
  const expected = Array.from({ length: count }, (_, i) => first + i * 1_000);

  let kills = 0;
  let freezes = 0;
  const frozen = workers[0]!;
  for (let i = 0; Math.max(...ran()) < expected.at(-1)!; i++) {
    const beat = (await queue.workers()).find((worker) => worker.beat);
    const victim = workers.find(({ pid }) => pid === beat?.pid);
    // The one that is frozen is the beat whenever it has become that: frozen in the middle of its ticks.
    if (victim && victim !== frozen && kills < 2 && i > kills) {
      victim.signal('SIGKILL');
      workers.splice(workers.indexOf(victim), 1, await start());
      kills++;
    }
    frozen.signal('SIGSTOP');
    freezes++;
    await sleep(FROZEN_MS);
    frozen.signal('SIGCONT');
    await sleep(THAWED_MS);
  }
  await until(async () => {
    const { active, queued } = await queue.counts();
    return active + queued === 0;
  });
  await Promise.all(workers.map((worker) => worker.stop(5_000)));

  const [entry] = await queue.schedules();
  stand.ensure(entry?.every === 1_000, 'the entry is still there, as it was');
  const fired = (await queue.jobs('completed', { limit: 1_000 })).filter(
    ({ tick }) => tick! <= expected.at(-1)!,
  );
  const distinct = new Set(fired.map(({ tick }) => tick!));
  stand.ensure(distinct.size === fired.length, `${fired.length - distinct.size} ticks fired twice`);
  const missing = expected.filter((tick) => !distinct.has(tick));
  stand.ensure(missing.length === 0, `${missing.length} of ${count} ticks were not fired`);
  for (const tick of ran()) {
    const id = `cron:second:${tick}`;
    stand.runs.set(id, (stand.runs.get(id) ?? 0) + 1);
  }
  const early = fired.filter(({ tick, enqueuedAt }) => enqueuedAt! < tick!).length;
  stand.ensure(early === 0, `${early} ticks were fired too early`);
  const late = fired.map(({ tick, enqueuedAt }) => enqueuedAt! - tick!).sort((a, b) => a - b);
  // The one that fires may be frozen or dead: a second later another sees it. The rest is what a busy machine takes.
  stand.ensure(late.at(-1)! < 3_000, `a tick was fired ${late.at(-1)} ms late`);
  stand.ensure(freezes > 2 && kills === 2, `${freezes} freezes and ${kills} kills only`);
  say(`${freezes} freezes, ${kills} kills of the beat; late by ${late[count >> 1]} ms at p50, ${late.at(-1)} ms at worst`); // prettier-ignore
  return expected;
}

/** All workers stop, come back after a while, and of the ticks missed exactly the last is made up for. */
async function caughtUp(stand: Stand, awayMs: number, say: (line: string) => void) {
  const ticks: number[] = [];
  const latest = () =>
    job({ every: '1s', catchUp: 'last' }, () => void ticks.push(currentJob().tick!.getTime()));
  const start = () =>
    [1, 2, 3].map(() => stand.worker({ latest: latest() }, { queue: 'away', lease: 1_000 }));
  const before = start();
  await until(() => ticks.length >= 2);
  await Promise.all(before.map((worker) => worker.stop()));
  const seen = ticks.length;
  await sleep(awayMs); // how long nobody is there
  const back = Date.now();
  const after = start();
  await until(() => ticks.filter((tick) => tick > back).length >= 3, { timeoutMs: 30_000 });
  await Promise.all(after.map((worker) => worker.stop()));

  const made = ticks.slice(seen).sort((a, b) => a - b);
  // From the last one missed on, every second: exactly one of those that nobody was there for.
  const gapless = made.every((tick, i) => tick === made[0]! + i * 1_000);
  stand.ensure(gapless, `ticks after the return: ${made.join(', ')}`);
  stand.ensure(made[0]! < back + 1_000 && made[0]! > ticks[seen - 1]! + 1_000, 'one was caught up'); // prettier-ignore
  const missed = Math.round((made[0]! - ticks[seen - 1]!) / 1_000) - 1;
  stand.ensure(missed >= awayMs / 1_000 - 2, `only ${missed} ticks were left out`);
  say(`away for ${awayMs / 1_000} s: ${missed} ticks left out, then every second again`);
}
