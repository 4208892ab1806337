/** Types of `minq/testing` and of jobs that enqueue; compiled by test/types.test.ts. */
import { currentQueue, job, Worker } from '../../src/index.ts';
import { recorder, testing } from '../../src/testing/index.ts';

const jobs = {
  add: (a: number, b: number) => a + b,
  send: job({ retries: 1 }, async (to: string) => ({ to })),
  nothing: () => {},
};

const recorded = recorder<typeof jobs>();
void recorded.enqueue('add', [1, 2]);
recorded.returns('add', 3);
recorded.returns('send', { to: 'ann' });
recorded.returns('send', async (to: string) => ({ to }));
const fns: string[] = recorded.enqueued.map(({ fn }) => fn);
void fns;
// @ts-expect-error a number is wanted
void recorded.enqueue('add', [1, '2']);
// @ts-expect-error no such function
recorded.returns('ad', 3);
// @ts-expect-error it returns a number
recorded.returns('add', '3');
// @ts-expect-error it has no Redis
recorder<typeof jobs>('shop', { redis: 'redis://127.0.0.1' });

const tested = await testing(jobs, { routes: { send: 'mail' } });
const sum: number = await tested.queue.call('add', [1, 2]);
void sum;
const runs = await tested.advance('1h');
// @ts-expect-error whoever reads it must look what it is
void runs[0]!.error.message;
// @ts-expect-error a duration
void tested.advance(new Date());
// @ts-expect-error no such function
void tested.queue.enqueue('ad', [1, 2]);
// @ts-expect-error no such function to route
void testing(jobs, { routes: { sned: 'mail' } });
// @ts-expect-error an object of functions
void testing('./jobs.ts');

const queue = currentQueue<typeof jobs>();
void queue.enqueue('send', ['ann']);
// @ts-expect-error a text is wanted
void queue.enqueue('send', [1]);
new Worker(jobs, { routes: { send: 'mail' } });
// @ts-expect-error names of queues
new Worker(jobs, { routes: { send: 5 } });
