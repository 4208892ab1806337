/**
 * Garbage in what is stored, seen through every view: what can't be read is said to be unreadable, the rest is shown, and no
 * error comes out that is not one of minq's own.
 */
import type { JobReply } from '../../src/dashboard/api.ts';
import { minq } from '../helpers/cli.ts';
import { scene } from '../helpers/setup.ts';
import { site } from '../helpers/site.ts';
import { fill, garbageIn } from './garbage.ts';

garbageIn(4);

scene('what can not be read is said to be unreadable, and the rest is shown', async (t, stage) => {
  const { queue, ids } = await fill(stage);
  const step = ids.find((id) => id.endsWith('.1'))!;
  const { client } = stage.redis;
  const { keys } = stage.store();
  const { get } = await site(stage);
  const page = async (id: string) =>
    (await get(`api/job?queue=${queue.name}&id=${id}`)).json as JobReply;
  const tells = async (...argv: string[]) => {
    const { code, stdout, stderr } = await minq(t, [...argv, '--queue', queue.name], {
      redis: stage.redis.url,
    }).ended;
    t.notMatch(stderr, /unexpected|at .*\.js|TypeError|SyntaxError/, argv.join(' '));
    return { code, text: stdout + stderr };
  };
  const time = Date.now();
  await client.hset(keys.jobs, 'later', 'x');
  t.match(await queue.job('later').info(), { fn: undefined, args: [], state: 'scheduled', meta: {} });
  t.match(await tells('job', 'later'), { code: 0, text: /function +\(its record is missing or unreadable\)/ });
  t.match(await tells('jobs', 'scheduled'), { code: 0, text: /later +\(unreadable\)/ });

  await client.hset(keys.jobs, 'done', `${time}{"fn":"add","args":[1],"meta":{"a":5,"b":"c"},"priority":7,"tick":"x"}`);
  t.match(await queue.job('done').info(), { fn: 'add', meta: { b: 'c' }, priority: 'normal', tick: undefined, result: 3 });
  await client.hset(keys.outcomes, 'done', `${time}{"state":"so-so"}`);
  t.match(await queue.job('done').info(), { state: 'failed', fn: 'add', error: { name: 'BadRecordError', message: /says not how it ended/ } });
  t.match((await page('done')).job, { fn: 'add', error: { message: { text: /says not how it ended/ } } });
  await t.rejects(queue.job('done').result({ timeout: 1_000 }), { code: 'BAD_RECORD' });

  await client.hset(keys.outcomes, 'failed', `${time}{"state":"failed","error":{"name":5},"attempt":"x","ranMs":[]}`);
  t.match(await queue.job('failed').info(), { error: { message: '(unreadable)' }, attempts: [{ error: { name: 'AggregateError' } }], ranMs: undefined, attempt: 2 });
  t.match(await tells('job', 'failed'), { code: 0, text: /error\n +Error: \(unreadable\)/ });
  t.match(await tells('jobs', 'failed'), { code: 0, text: /failed +fails .*\(unreadable\)/ });
  const failure: unknown = await queue.job('failed').result({ timeout: 1_000 }).catch((error) => error);
  t.match(failure, { code: 'JOB_FAILED', cause: { message: '(unreadable)' } });

  await client.hset(keys.progress, 'runs', '{');
  t.match(await queue.job('runs').info(), { progress: '(unreadable)', state: 'active' });
  t.match(await tells('job', 'runs'), { code: 0, text: /progress +"\(unreadable\)"/ });

  const flow = step.slice(0, -2);
  t.match(await queue.job(step).info(), { flow: { waitsFor: [`${flow}.0`] } });
  await client.hset(keys.flows, flow, '{"home":"x","shape":{"c":[{"g":null}]}}');
  t.match(await queue.job(step).info(), { state: 'waiting', flow: { id: flow, waitsFor: undefined } });
  await t.rejects(queue.job(step).flow(), { code: 'BAD_RECORD', message: `the shape of flow ${flow} in Redis is unreadable` });
  const last = `${flow}.3`;
  await client.hset(keys.flows, flow, '{"home":"x"}');
  await t.rejects(queue.job(last).cancel(), { code: 'BAD_RECORD' }, 'nobody knows where its steps are');
  t.match((await page(step)).flow, { id: flow, outline: '(unreadable)' });
  t.match(await tells('job', step), { code: 0, text: /flow \w+, step 1; the others: \(unreadable\)/ });

  await client.hset(keys.workers, 'broken', `${time}{"host":5}`, 'older', 'x');
  t.equal((await queue.workers()).length, 1, 'the others are shown');
  t.match(await tells('workers'), { code: 0, text: /runs/ });
  t.match((await get('api/workers')).json, { workers: [{ queue: queue.name }] });
  for (const command of ['stats', 'cron']) t.match(await tells(command), { code: 0 });
  t.match(await tells('check'), { code: Number });
}); // prettier-ignore
