/** `src/queue/MOVING.md`: each right-hand side of its tables runs. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import t from 'tap';
import * as minq from '../src/index.ts';
import { testing } from '../src/testing/index.ts';
import { minq as start } from './helpers/cli.ts';
import { freePort, startRedis } from './helpers/redis.ts';
import { scene } from './helpers/setup.ts';
import { until } from './helpers/until.ts';

t.setTimeout(300_000);

const page = readFileSync(new URL('../src/queue/MOVING.md', import.meta.url), 'utf8');
const sections = page
  .split(/^## /m)
  .slice(1)
  .map((text) => {
    const [title = '', ...lines] = text.split('\n');
    const rows = lines.filter((line) => line.startsWith('| ') && !line.startsWith('|--')).slice(1);
    return { title, rows: rows.map((line) => line.slice(2, -2).split(' | ') as [string, string]) };
  });
/** Texts in backticks. */
const spans = (cell: string) => Array.from(cell.matchAll(/`([^`]+)`/g), ([, text]) => text!);

const folder = mkdtempSync(path.join(tmpdir(), 'minq-moving-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
writeFileSync(
  path.join(folder, 'jobs.ts'),
  'export const add = (a: number, b: number) => a + b;\nexport const report = () => 1;\n',
);

const jobs = {
  add: (a: number, b: number) => a + b,
  double: (n: number) => n * 2,
  total: (all: number[]) => all.reduce((sum, each) => sum + each, 0),
  send: async (to: string) => to,
  report: () => 'made',
  told: () => {},
  fails: () => {
    throw new minq.Fail('no');
  },
};
const AsyncFunction = (async () => {}).constructor as new (
  ...texts: string[]
) => (...given: unknown[]) => Promise<unknown>;

void t.test('the tables are there, and each row has two sides', async (t) => {
  t.same(
    sections.map(({ title }) => title),
    ['Celery', 'arq', 'RQ', 'BullMQ', 'bee-queue'],
  );
  for (const { title, rows } of sections) {
    t.ok(rows.length > 15, `${title}: ${rows.length} rows`);
    for (const row of rows) t.equal(row.length, 2, row.join(' | '));
  }
});

for (const { title, rows } of sections) {
  scene(`from ${title}: code`, async (t, stage) => {
    const redis = stage.redis.url;
    const queue = stage.queue<typeof jobs>();
    stage.worker(jobs);
    stage.worker({ ...jobs, fails: jobs.fails }, { queue: 'mail' });
    for (const code of rows.flatMap(([, cell]) => spans(cell))) {
      if (code.startsWith('npx ') || code.startsWith('minq:')) continue;
      const handle = await queue.enqueue('add', [2, 3]);
      await handle.result();
      const later = (await queue.enqueue('add', [2, 3], { delay: '1h' })).id;
      const bad = await queue.enqueue('fails');
      await bad.result().catch(() => {});
      const given: Record<string, unknown> = { ...minq, testing, queue, handle, later, failed: bad.id, jobs, redis };
      const run = new AsyncFunction(...Object.keys(given), `return (${code.replace(/^await (.*), await /s, 'await $1, await ')});`);
      const value = await run(...Object.values(given)).catch((error: Error) => error);
      t.notOk(value instanceof Error, `${code}: ${String(value)}`);
      t.not(value, false, `${code}: it did something`);
      if (value instanceof minq.Queue) await value.close();
      await queue.limit(null);
    }
    for (const name of ['digest', 'poll']) await queue.unschedule(name);
  }, { redis: startRedis }); // prettier-ignore

  scene(`from ${title}: commands`, async (t, stage) => {
    const redis = stage.redis.url;
    await stage.redis.client.config('SET', 'appendonly', 'yes'); // `minq check` wants it
    const queue = new minq.Queue<typeof jobs>('default', { redis });
    stage.onEnd(() => queue.close());
    for (const code of rows.flatMap(([, cell]) => spans(cell))) {
      if (!code.startsWith('npx ')) continue;
      const worker = new minq.Worker(jobs, { redis });
      const running = worker.run();
      stage.onEnd(async () => (await worker.stop(), running));
      await (await queue.enqueue('fails')).result().catch(() => {});
      await until(async () => (await queue.workers()).length === 1);
      if (code.includes('purge queued')) {
        await queue.pause();
        await queue.enqueue('report');
      }
      const args = Array.from(code.slice('npx minq '.length).matchAll(/'([^']*)'|(\S+)/g), ([, quoted, plain]) => quoted ?? plain!);
      // What works until it is stopped ends when there is nothing to do.
      const more = args[0] === 'worker' && !args.includes('--burst') ? ['--burst'] : [];
      if (args[0] === 'dashboard') {
        const port = String(await freePort());
        const told = start(t, [...args, '--port', port], { redis, cwd: folder });
        await until(() => fetch(`http://127.0.0.1:${port}/`).then(({ ok }) => ok, () => false));
        t.equal((await told.end()).code, 0, code);
      } else {
        const told = await start(t, [...args, ...more], { redis, cwd: folder }).ended;
        t.equal(told.code, 0, `${code}: ${told.stdout}${told.stderr}`);
      }
      await worker.stop();
      await queue.resume();
      await queue.purge('failed');
    }
  }, { redis: startRedis }); // prettier-ignore
}
