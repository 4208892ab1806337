/** The host of Redis can't be found, or nobody listens there yet, when workers and producers start. */
import { minq } from '../../helpers/cli.ts';
import { until } from '../../helpers/until.ts';
import type { Scenario } from '../scenario.ts';
import { onStand, type Stand } from '../stand.ts';

/** No name server is asked for it: a label of it is empty. */
const NO_HOST = 'redis://no..such.host:6379';
const DEADLINE_MS = 500;
const RESUMED_MS = 3_000;

export default {
  name: 'no-host',
  what: 'no such host, or nobody listening, at the start: one clear line, work begins when it comes',
  libraries: ['minq'],
  run: ({ say }) =>
    onStand(async (stand) => {
      await noName(stand);
      await commands(stand);

      const proxy = await stand.proxy();
      await proxy.refuse();
      const through = { redis: proxy.url, callTimeout: DEADLINE_MS };
      stand.worker({ echo: (text: string) => text }, through);
      const queue = stand.queue({ ...through, callTimeout: '30s' });
      const early = queue.enqueue('echo', ['early']);
      await until(() => stand.log.filter((line) => line.includes('ECONNREFUSED')).length >= 2);
      await proxy.accept();
      const back = performance.now();
      const job = await early;
      const recoveredMs = await stand.within(RESUMED_MS, 'the first job runs', () => {
        return stand.runs.has(job.id);
      });
      stand.ensure((await job.result()) === 'early', 'and gives its result');
      say(`work began ${Math.round(performance.now() - back)} ms after Redis was there`);
      return { accepted: [job.id], recoveredMs: [recoveredMs] };
    }),
} satisfies Scenario;

/** A worker and a queue wait for a host that has no address. */
async function noName(stand: Stand): Promise<void> {
  const worker = stand.worker({ echo: () => 1 }, { redis: NO_HOST, callTimeout: DEADLINE_MS });
  const queue = stand.queue({ redis: NO_HOST, callTimeout: DEADLINE_MS });
  const started = performance.now();
  const calls = [() => queue.enqueue('echo'), () => queue.counts(), () => queue.job('x').result()];
  for (const call of await Promise.allSettled(calls.map((each) => each()))) {
    const said = call.status === 'rejected' ? String(call.reason) : 'success';
    stand.ensure(/RedisUnavailableError: .*(ENOTFOUND|EAI_AGAIN).*such/.test(said), `a call ended with ${said}`); // prettier-ignore
  }
  const took = performance.now() - started;
  stand.ensure(took < DEADLINE_MS + 2_000, `the calls took ${Math.round(took)} ms`);
  const waits = () => stand.log.filter((line) => /^error waiting for Redis.*such/.test(line));
  await stand.within(10_000, 'the worker says what it waits for', () => waits().length > 0);
  await worker.stop();
}

/** The command line says it in one line, without a stack, and ends. */
async function commands(stand: Stand): Promise<void> {
  const keep = { teardown: (end: () => void) => stand.onEnd(async () => end()) };
  const runs = [['stats'], ['jobs', 'failed'], ['enqueue', 'echo', '[1]']].map(async (args) => {
    const { code, stderr } = await minq(keep, args, { redis: NO_HOST }).ended;
    const lines = stderr.trim().split('\n');
    stand.ensure(code === 1 && lines.length === 1 && lines[0]!.includes('such.host'), `minq ${args.join(' ')} ended with ${code}: ${stderr}`); // prettier-ignore
  });
  await Promise.all(runs);
}
