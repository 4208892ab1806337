import { chord, step } from '../../src/index.ts';
import { workerProcesses } from '../helpers/processes.ts';
import { seeded } from '../helpers/seeded.ts';
import { scene } from '../helpers/setup.ts';

const MEMBERS = 1_000;

export function killedChords(repetitions: number): void {
  scene(
    `a chord of ${MEMBERS} over three workers that are killed, ${repetitions} times: the callback comes once, in order, last`,
    async (t, stage) => {
      const processes = workerProcesses(stage);
      const queue = stage.queue();
      const options = { redis: stage.redis.url, queue: stage.name, lease: 500, concurrency: 20 };
      const start = () => processes.start(options);
      const workers = await Promise.all([start(), start(), start()]);
      // Takes the place of the next one killed; a process takes longer to start than a chord to run.
      let spare = start();
      let kills = 0;
      const wrong: string[] = [];
      for (let seed = 1; seed <= repetitions; seed++) {
        const random = seeded(seed);
        // No limit of attempts in the way: a member may be hit by several of the kills.
        const members = Array.from({ length: MEMBERS }, (_, i) =>
          step('member', [i, random(12)], { retries: 20 }),
        );
        const last = await queue.enqueue(chord(members, step('callback', [], { retries: 20 }))); // prettier-ignore
        const id = last.id.slice(0, last.id.lastIndexOf('.'));
        const result = last.result({ timeout: '60s' }).then(
          (value) => value as number[],
          (error: Error) => error,
        );
        for (let i = 0; i <= random(2); i++) {
          await new Promise((resolve) => setTimeout(resolve, random(250))); // the moment of this kill
          const victim = workers.splice(random(workers.length), 1)[0]!;
          victim.signal('SIGKILL');
          kills++;
          workers.push(await spare);
          spare = start();
        }
        const value = await result;
        if (!Array.isArray(value)) wrong.push(`seed ${seed}: ${String(value)}`);
      else if (value.length !== MEMBERS || value.some((each, i) => each !== i)) wrong.push(`seed ${seed}: results out of order`); // prettier-ignore
        const runs = processes.entries().filter((e) => e.what === 'start' && e.id === last.id);
        // Enqueued once: a run of its first attempt is there once. Further ones only where its worker was killed.
        if (runs.filter(({ attempt }) => attempt === 1).length !== 1) wrong.push(`seed ${seed}: ${runs.length} callbacks`); // prettier-ignore
        const ids = Array.from({ length: MEMBERS }, (_, i) => `${id}.${i}`);
        const infos = await queue.jobs('completed', { limit: MEMBERS });
        const mine = infos.filter((info) => ids.includes(info.id));
        const ended = Math.max(...mine.map(({ endedAt }) => endedAt!));
        const begun = (await last.info()).enqueuedAt!;
        if (begun < ended)
          wrong.push(`seed ${seed}: the callback was begun ${ended - begun} ms early`);
      }
      const stats = await queue.stats();
      t.comment(`${repetitions} chords, ${kills} kills, ${stats.recovered} jobs claimed again`);
      t.same(wrong, [], 'each seed');
      t.ok(kills >= repetitions, 'workers were killed');
      t.ok(stats.recovered > 0, 'and it did hit members');
      t.equal(stats.completed, repetitions * (MEMBERS + 1), 'each step was settled once');
      workers.push(await spare);
      await Promise.all(workers.map((worker) => worker.stop(1_000)));
    },
    { beside: true },
  );
}
