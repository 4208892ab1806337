/** What a storm does is drawn from its seed. (Two seconds of one: `command.long.test.ts`; a minute: `storm.long.test.ts`.) */
import t from 'tap';
import { planFaults, REDIS_FAULTS, WORKER_FAULTS } from './storm/faults.ts';
import { planned } from './storm/plan.ts';

void t.test('the seed fixes the faults and the jobs', async (t) => {
  const cast = { leaseMs: 2_000, workers: 3, spared: 1 };
  const jobs = (seed: number) => Array.from({ length: 200 }, (_, n) => planned(seed, n));
  t.same(planFaults(1, 60, cast), planFaults(1, 60, cast));
  t.notSame(planFaults(1, 60, cast), planFaults(2, 60, cast));
  t.same(jobs(1), jobs(1));
  t.notSame(jobs(1), jobs(2));
  const { workers, redis } = planFaults(3, 60, cast);
  t.same(new Set(redis.map(({ fault }) => fault)), new Set(REDIS_FAULTS), 'all kinds in a minute');
  t.same(new Set(workers.map(({ fault }) => fault)), new Set(WORKER_FAULTS));
  const killed = workers.filter(({ fault }) => fault === 'kill worker');
  t.same(
    new Set(killed.map(({ target }) => target)),
    new Set([1, 2]),
    'who is spared is not killed',
  );
});
