import type { Test } from 'tap';
import type { Ended } from '../helpers/cli.ts';
import { command } from '../helpers/command.ts';
import { faultyScene } from '../helpers/faulty.ts';
import { freePort, startRedis } from '../helpers/redis.ts';
import { scene, type Stage } from '../helpers/setup.ts';
import { site } from '../helpers/site.ts';
import { until } from '../helpers/until.ts';

interface Report {
  ok: boolean;
  findings: {
    check: string;
    ok: boolean;
    message: string;
    mend?: string;
    warning?: true;
    queue?: string;
    worker?: string;
    job?: string;
  }[];
}

const runner =
  (stage: Stage, redis = stage.redis.url) =>
  (...args: string[]): Promise<Ended> =>
    command(['check', ...args], { redis });

/** With --json, and an exit code that fits. */
const reporter = (t: Test, stage: Stage, redis?: string) => async (...args: string[]): Promise<Report> => {
  const { code, stdout, stderr } = await runner(stage, redis)('--json', ...args);
  t.match(stderr, /^(Skipping the ready check because INFO.*\n)?$/); // said by ioredis, of a user without the right to it
  const report = JSON.parse(stdout) as Report;
  t.equal(code, report.ok ? 0 : 1);
  t.equal(report.ok, report.findings.every(({ ok }) => ok));
  return report;
}; // prettier-ignore

const wrong = ({ findings }: Report) => findings.filter(({ ok }) => !ok).map(({ check }) => check);
const of = (report: Report, check: string) => report.findings.find((each) => each.check === check)!;

const safe = { redis: () => startRedis(['--appendonly', 'yes']) };

scene('all is well: a line of each thing that was checked, and 0', async (t, stage) => {
  stage.worker({ f: () => 1 });
  const queue = stage.queue();
  await until(async () => (await queue.workers()).length === 1);
  const { code, stdout, stderr } = await runner(stage)();
  t.same([code, stderr], [0, '']);
  t.match(stdout, new RegExp(
    String.raw`^ok    version       Redis \d+\.\d+\.\d+
ok    eviction      maxmemory-policy is noeviction
ok    persistence   every write is logged \(appendonly yes\)
ok    worker        queue ${stage.name}: 1 alive
ok    waiting       queue ${stage.name}: no job waits
$`));
  t.match(await reporter(t, stage)(), { ok: true, findings: [{ check: 'version', ok: true }, {}, {}, {}, {}] });
  await stage.redis.client.config('SET', 'appendonly', 'no');
  await stage.redis.client.config('SET', 'save', '3600 1');
  t.match(of(await reporter(t, stage)(), 'persistence'), { ok: true, message: 'snapshots are saved (save 3600 1)' });
}, safe); // prettier-ignore

scene('no worker is alive: on any of the queues, named or known, at least on default', async (t, stage) => {
  const report = reporter(t, stage);
  const none = await report();
  t.same(wrong(none), ['worker']);
  t.match(of(none, 'worker'), {
    message: 'queue default: no worker is alive',
    mend: 'start one: npx minq worker <file> --queue default',
  });
  stage.worker({ f: () => 1 });
  const queue = stage.queue();
  await until(async () => (await queue.workers()).length === 1);
  t.equal((await report()).ok, true);
  const named = await report('--queue', stage.name, '--queue', 'other');
  t.same(named.findings.filter(({ ok }) => !ok).map(({ message }) => message), ['queue other: no worker is alive']);

  // One that died is not alive, though it is still listed.
  const workers = `minq:{${stage.name}}:workers`;
  const [presence] = await stage.redis.client.hvals(workers);
  await stage.redis.client.hset(`minq:{dead}:workers`, 'x', `${Number(presence!.slice(0, 13)) - 40_000}${presence!.slice(13)}`);
  t.same(wrong(await report('--queue', 'dead')), ['worker']);
  await stage.redis.client.del('minq:{dead}:workers');
}, safe); // prettier-ignore

scene('what is wrong with any queue: the same of check and of the dashboard', async (t, stage) => {
  const { redis, name } = stage;
  const now = await stage.queue().now();
  /** As a worker of the queue would have said it, so long ago. */
  const say = (queue: string, pid: number, agoMs: number, more: object = {}) => {
    const presence = {
      host: 'h', pid, concurrency: 5, busy: 0, running: [], startedAt: now - 90_000,
      loop: { p50: 1, p99: 2, max: 3 }, memory: { rss: 1, heap: 1 }, version: '0.0.1', node: '20.0.0', ...more,
    };
    return redis.client.hset(`minq:{${queue}}:workers`, `${queue}-${pid}`, `${now - agoMs}${JSON.stringify(presence)}`);
  };
  // Of the first queue a worker is idle and well; of the second the only one was killed, with two jobs.
  await say(name, 1, 26_000, { blocked: { at: now - 60_000, ms: 1_500, jobs: [] } });
  await say('second', 1, 1, { blocked: { at: now - 60_000, ms: 1_500, jobs: [{ id: 'j', fn: 'hog' }] } });
  const queue = stage.queue();
  for (const each of ['third', 'fourth']) await queue.enqueueMany([1, 2, 3].map((n) => ({ fn: 'f', args: [n], queue: each })));
  const killed = stage.store('w').on('third');
  await killed.turn(1, 60_000, 2, []);
  await say('fourth', 2, 20_000, { busy: 5 });
  await redis.client.rpush('minq:{second}:history', `${now - 120_000} 9 9 9 0 0 0 0 0 0`, `${now - 60_000} 40 20 13 0 0 0 0 0 0`);
  await stage.queue({ prefix: 'minq' }).pause();

  const names = [name, 'second', 'third', 'fourth'];
  const { findings } = await reporter(t, stage)(...names.flatMap((each) => ['--queue', each]));
  const ofQueues = findings.filter((each) => each.queue !== undefined);
  t.same(ofQueues.filter((each) => !each.ok).map(({ message }) => message), [
    'queue third: no worker is alive, with 1 queued and 2 active that nobody runs',
    'queue fourth: no worker is alive, with 3 queued',
  ]);
  const warnings = ofQueues.filter(({ ok, warning }) => ok && warning);
  t.match(warnings, [
    { check: 'paused', queue: name, message: `queue ${name}: is paused, nothing new starts; 0 queued jobs` },
    { check: 'blocked', worker: 'h/1', queue: 'second', job: 'j', message: /^worker h\/1: its event loop was blocked for 1\.5s, 1m( \d+s)? ago, by hog$/ },
    { check: 'failed', queue: 'second', message: 'queue second: 4 of 15 jobs that ended in the last hour failed' },
    { check: 'silent', worker: 'h/2', queue: 'fourth', message: /^worker h\/2: no sign of life for 2\ds; the 5 jobs it ran will be run by others$/ },
  ]);
  t.equal(warnings.length, 4, 'and the idle one is not called silent');

  const { get } = await site(stage, { queues: names });
  const shown = (await get('api/findings')).json as Report;
  const same = (list: Report['findings']) => list.map(({ message }) => message.replace(/\d+s\b/g, 'n s'));
  t.same(same(shown.findings), same(ofQueues.filter(({ ok, warning }) => !ok || warning).toSorted((a, b) => Number(a.ok) - Number(b.ok))));
  const { workers } = (await get('api/workers')).json as { workers: { pid: number; silent: boolean }[] };
  t.same(workers.map(({ pid, silent }) => [pid, silent]), [[1, false], [1, false], [2, true]]);
  const { stdout } = await runner(stage)(...names.flatMap((each) => ['--queue', each]));
  t.match(stdout, /^warn {2}paused {8}queue \S+: is paused, nothing new starts; 0 queued jobs; let workers go on: npx minq resume --queue \S+$/m);
  await redis.client.flushall();
}, safe); // prettier-ignore

scene('Redis may evict, and is not persistent: each with its mend', async (t, stage) => {
  await stage.redis.client.config('SET', 'maxmemory-policy', 'allkeys-lru');
  const { code, stdout } = await runner(stage)();
  t.equal(code, 1);
  t.match(stdout, /^FAIL {2}eviction +Redis may evict jobs: maxmemory-policy is allkeys-lru; set it to noeviction$/m);
  t.match(stdout, /^FAIL {2}persistence +Redis keeps jobs in memory only: a restart loses them; set appendonly yes.*$/m);
  t.same(wrong(await reporter(t, stage)()), ['eviction', 'persistence', 'worker']);
}, { redis: () => startRedis() }); // prettier-ignore

scene('what may not be asked is not known, and no failure', async (t, stage) => {
  const { client, port } = stage.redis;
  stage.worker({ f: () => 1 });
  const queue = stage.queue();
  await until(async () => (await queue.workers()).length === 1);
  const as = async (name: string, ...rights: string[]) => {
    await client.acl('SETUSER', name, 'on', '>secret', '~*', '&*', '+@all', ...rights);
    return reporter(t, stage, `redis://${name}:secret@127.0.0.1:${port}`)();
  };
  const noConfig = await as('few', '-config');
  t.match(of(noConfig, 'persistence'), { ok: true, message: /^not known: / });
  t.equal(noConfig.ok, true);
  const noInfo = await as('fewer', '-config', '-info');
  t.same(noInfo.findings.filter(({ message }) => message.startsWith('not known')).map(({ check }) => check), ['version', 'eviction', 'persistence']);
  await client.config('SET', 'appendonly', 'yes');
  t.match(of(await as('few2', '-config'), 'persistence'), { ok: true, message: /appendonly yes/ });
}, { redis: () => startRedis() }); // prettier-ignore

scene('a job that waits for too long', async (t, stage) => {
  const queue = stage.queue();
  stage.worker({ f: () => 1 });
  await until(async () => (await queue.workers()).length === 1);
  await queue.pause();
  await queue.enqueueMany([{ fn: 'f' }, { fn: 'f' }]);
  await until(async () => (await queue.oldestWaitingMs())! > 1_000);
  const report = reporter(t, stage);
  t.match(of(await report(), 'waiting'), { ok: true, message: /\(paused\): the oldest job has waited [\d.]+s$/ });
  const late = await report('--max-age', '1s');
  t.same(wrong(late), ['waiting']);
  t.match(of(late, 'waiting'), {
    message: new RegExp(`^queue ${stage.name} \\(paused\\): the oldest job has waited [\\d.]+s, with 2 queued$`),
    mend: `let workers go on: npx minq resume --queue ${stage.name}`,
  });
  await queue.resume();
  await until(async () => (await queue.counts()).completed === 2);
  t.equal((await report('--max-age', '1s')).ok, true);
  const other = stage.queue();
  await other.enqueue('f', [], { queue: 'unserved' });
  await until(async () => wrong(await report('--queue', 'unserved', '--max-age', '1ms')).includes('waiting'));
}, safe); // prettier-ignore

faultyScene('a Redis that is too old', async (t, stage) => {
  stage.proxy.rewrite = (reply) => reply.replace(/redis_version:\d/, 'redis_version:5');
  const report = await reporter(t, stage, stage.proxy.url)();
  t.match(of(report, 'version'), { ok: false, message: /^Redis 5\S+ is too old$/, mend: 'minq needs 6.2 or later' });
}, safe); // prettier-ignore

scene('Redis is away, frozen, or wants another password: a finding, in time', async (t, stage) => {
  const startedAt = performance.now();
  const away = `redis://:canary-77@127.0.0.1:${await freePort()}`;
  await stage.redis.client.acl('SETUSER', 'app', 'on', '>secret', '~*', '&*', '+@all');
  const refused = await reporter(t, stage, `redis://app:canary-77@127.0.0.1:${stage.redis.port}`)();
  stage.redis.signal('SIGSTOP');
  const [text, report, frozen] = await Promise.all([
    runner(stage, away)(),
    reporter(t, stage, away)(),
    reporter(t, stage)(),
  ]);
  stage.redis.signal('SIGCONT');
  t.ok(performance.now() - startedAt < 20_000, 'the deadline is 5 s');
  t.equal(text.code, 1);
  t.match(text.stdout, /^FAIL {2}redis +.*ECONNREFUSED.*; start Redis, or say where it is by MINQ_REDIS_URL\n$/);
  for (const each of [report, frozen, refused]) {
    t.same(each.findings.map(({ check, ok }) => [check, ok]), [['redis', false]]);
  }
  t.match(refused.findings[0]!.message, /WRONGPASS/);
  t.notMatch(JSON.stringify([text, report, frozen, refused]), 'canary');
}, safe); // prettier-ignore

scene('wrong usage ends with 2', async (t, stage) => {
  const cases: [args: string[], says: RegExp][] = [
    [['--max-age', 'old'], /^minq: --max-age: "old" is no duration[^\n]*\n$/],
    [['--queue', ''], /^minq: --queue: "" is not usable[^\n]*\n$/],
    [['redis'], /^minq: "redis" is one too many; Usage: minq check[^\n]*\n$/],
  ];
  for (const [args, says] of cases) {
    t.match(await runner(stage)(...args), { code: 2, stdout: '', stderr: says });
  }
}); // prettier-ignore
