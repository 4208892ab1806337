/** What a job has logged is there when one looks at why it failed. */
import t from 'tap';
import { currentJob, job } from '../../src/index.ts';
import { command } from '../helpers/command.ts';
import { scene } from '../helpers/setup.ts';
import { until } from '../helpers/until.ts';

t.setTimeout(60_000);

scene('of a job that fails its log is kept, of others where it is asked for; the newest 8 KB', async (t, stage) => {
  const queue = stage.queue();
  const says = (n: number, fails: boolean) => {
    const { log, attempt } = currentJob();
    for (let i = 0; i < n; i++) log.info(`line ${i} of attempt ${attempt}`, { size: i });
    log.error('the last\u001b[2J one');
    if (fails) throw new Error('no luck');
  };
  stage.worker({ says, kept: job({ keepLogs: true }, (n: number, fails: boolean) => says(n, fails)), never: job({ keepLogs: false, retries: 0 }, (n: number, fails: boolean) => says(n, fails)), odd: () => { currentJob().log.info('odd', { odd: Object.create(null) as string }); throw new Error('of its own'); }, quiet: () => { throw new Error('x'); } });
  const run = async (fn: string, n: number, fails: boolean, options = {}) => {
    const handle = await queue.enqueue(fn, [n, fails], options);
    await handle.result({ timeout: '10s' }).catch(() => {});
    return handle;
  };
  const failed = await run('says', 2, true, { retries: 1, backoff: 5 });
  const { log } = await failed.info();
  t.match(log!.replace(/^\S+ /gm, ''), [1, 2].map((n) => `info  line 0 of attempt ${n} size=0\ninfo  line 1 of attempt ${n} size=1\nerror the last\\u001b[2J one\n`).join(''));
  t.match(log, /^\d\d:\d\d:\d\d\.\d{3} info/);
  t.ok(stage.log.some((line) => line.includes('line 0 of attempt 1') && line.includes(failed.id)), 'and said by the worker');
  t.match((await command(['job', failed.id, '--queue', stage.name], { redis: stage.redis.url })).stdout, /\nlog\n {2}\S+ info {2}line 0 of attempt 1 size=0\n/);

  t.equal((await (await run('says', 1, false)).info()).log, undefined, 'of one that is done, none');
  t.match((await (await run('kept', 1, false)).info()).log, /line 0 of attempt 1/);
  t.equal((await (await run('never', 1, true)).info()).log, undefined);
  t.equal((await (await run('quiet', 1, true, { retries: 0 })).info()).log, undefined);

  const long = (await (await run('says', 5_000, true, { retries: 0 })).info()).log!;
  t.ok(long.length > 7_000 && Buffer.byteLength(long) <= 8_192);
  t.match(long, /^\d\d:.*\n[^]*line 4999 of attempt 1 size=4999\n.*the last/);

  const odd = await queue.enqueue('odd', [], { retries: 0 });
  await t.rejects(odd.result({ timeout: '10s' }), { cause: { message: 'of its own' } });
  t.match((await odd.info()).log, /info {2}\(unreadable\)\n/, 'what is no text disturbs no job');

  const broken = await run('says', 1, true, { retries: 0 });
  t.ok(await queue.retry(broken.id));
  await until(async () => (await broken.state()) === 'failed');
  t.match((await broken.info()).log, /the last[^]*the last/, 'run again by hand, both are there');
  await queue.remove(broken.id);
  const { logs } = stage.store().keys;
  t.equal(await stage.redis.client.hexists(logs, broken.id), 0, 'and gone with the job');
}); // prettier-ignore
