/** Which queue a job goes to: by its function. */
import { chain, group, job, Queue, routesOf, step } from '../../src/index.ts';
import { commandsDuring } from '../helpers/commands.ts';
import { app, minq } from '../helpers/cli.ts';
import { command } from '../helpers/command.ts';
import { scene, type Stage } from '../helpers/setup.ts';
import { until } from '../helpers/until.ts';

interface Jobs {
  plain(n?: number): number;
  sendMail(n?: number): number;
  makeReport(of: unknown): string;
}

const names = ({ name }: Stage) => ({ mail: `${name}-mail`, reports: `${name}-reports` });

scene('a job goes to the queue of its function, unless the call says another', async (t, stage) => {
  const { mail, reports } = names(stage);
  const queue = stage.queue<Jobs>({ routes: { sendMail: mail, makeReport: reports } });
  t.equal((await queue.enqueue('plain')).queue, stage.name);
  const sent = await queue.enqueue('sendMail');
  t.equal(sent.queue, mail);
  t.equal((await queue.enqueue('sendMail', [1], { queue: stage.name })).queue, stage.name);
  const many = await queue.enqueueMany([{ fn: 'makeReport', args: [1] }, { fn: 'plain' }]);
  t.match(many, [{ value: { queue: reports } }, { value: { queue: stage.name } }]);
  t.match(await queue.counts(), { queued: 3 });
  t.same((await queue.queues()).filter((each) => each.startsWith(stage.name)).toSorted(), [stage.name, mail, reports].toSorted()); // prettier-ignore

  stage.worker({ sendMail: (n = 7) => n }, { queue: mail });
  t.equal(await sent.result({ timeout: '10s' }), 7);
  t.equal(await queue.call('sendMail', [8], { timeout: '10s' }), 8);
});

scene('steps of a flow go to theirs', async (t, stage) => {
  const { mail, reports } = names(stage);
  const queue = stage.queue<Jobs>({ routes: { sendMail: mail, makeReport: reports } });
  for (const name of [stage.name, mail, reports]) {
    const jobs = { plain: (n = 1) => n, sendMail: (n = 2) => n * 10, makeReport: (of: unknown) => `${name}: ${JSON.stringify(of)}` }; // prettier-ignore
    stage.worker(jobs, { queue: name });
  }
  const pages = group([
    step('plain'),
    step('sendMail'),
    step('sendMail', [3], { queue: stage.name }),
  ]);
  const flow = chain(pages, step('makeReport'));
  const last = await queue.enqueue(flow);
  t.equal(last.queue, reports);
  t.equal(await last.result({ timeout: '20s' }), `${reports}: [1,20,30]`);
  const tree = JSON.stringify(await last.flow());
  t.match(tree, mail);
});

scene('a cron entry is on the queue of its function, and moves there when the route changes', async (t, stage) => {
  const { mail } = names(stage);
  const before = stage.queue<Jobs>();
  await before.schedule('digest', { every: '1h', fn: 'sendMail' });
  await before.schedule('other', { every: '1h', fn: 'plain' });
  const queue = stage.queue<Jobs>({ routes: { sendMail: mail } });
  await queue.schedule('digest', { every: '1h', fn: 'sendMail', args: [4] });
  const entries = async () => (await queue.schedules()).map((entry) => `${entry.name} ${entry.queue}`);
  t.same(await entries(), [`other ${stage.name}`, `digest ${mail}`]);
  await queue.schedule('other', { every: '1h', fn: 'sendMail' });
  t.same(await entries(), [`other ${stage.name}`, `digest ${mail}`, `other ${mail}`], 'an entry of another function is not touched'); // prettier-ignore
  t.equal(await queue.unschedule('other'), true);
  t.equal(await queue.unschedule('other'), true);
  t.equal(await queue.pauseSchedule('digest'), true);
  t.match(await queue.schedules(), [{ name: 'digest', paused: true }]);
  t.equal(await queue.resumeSchedule('digest'), true);
  const fired = await queue.runSchedule('digest');
  t.equal(fired.queue, mail);
  stage.worker({ sendMail: (n: number) => n }, { queue: mail });
  t.equal(await fired.result({ timeout: '10s' }), 4);
  await t.rejects(queue.runSchedule('nobody'), { code: 'NO_SCHEDULE' });
}); // prettier-ignore

scene('routesOf reads what functions say of themselves; their cron entries fire there', async (t, stage) => {
  const { mail, reports } = names(stage);
  let ticks: string[] = [];
  const at = (queue: string) => async () => void ticks.push(queue);
  const jobs = {
    plain: () => 1,
    sendMail: job({ queue: mail }, (n = 0) => n),
    poll: job({ queue: mail, every: '1s' }, at('poll')),
    clean: job({ every: '1s' }, at('clean')),
    far: job({ queue: reports, every: '1s' }, at('far')),
  };
  t.same(routesOf(jobs), { sendMail: mail, poll: mail, far: reports });
  const queue = stage.queue<typeof jobs>({ routes: routesOf(jobs) });
  t.equal((await queue.enqueue('sendMail', [1])).queue, mail);
  stage.worker(jobs);
  stage.worker(jobs, { queue: mail, cron: 'own' });
  const entries = async () => (await queue.schedules()).map((entry) => `${entry.name} ${entry.queue}`);
  await until(async () => (await entries()).length === 2);
  t.same(await entries(), [`clean ${stage.name}`, `poll ${mail}`]);
  await until(() => ticks.includes('poll') && ticks.includes('clean'));
  t.notOk(ticks.includes('far'), 'nobody works there');
  t.same(await entries(), [`clean ${stage.name}`, `poll ${mail}`], 'each on one queue only');
  t.throws(() => job({ queue: 'a b' }, () => {}), { message: /^queue: "a b" is not usable/ });
}); // prettier-ignore

scene('onFailure: the job goes to the queue of the function it names, once', async (t, stage) => {
  const { mail } = names(stage);
  const told: unknown[] = [];
  const jobs = {
    pay: job({ onFailure: 'alarm', retries: 0 }, () => {
      throw new Error('declined');
    }),
    alarm: job({ queue: mail }, (what: object) => void told.push(what)),
  };
  const queue = stage.queue<typeof jobs>();
  stage.worker(jobs);
  const failed = await Promise.all(['a|b', 'c'].map((id) => queue.enqueue('pay', [], { id })));
  for (const each of failed) await t.rejects(each.result({ timeout: '10s' }));
  await until(async () => (await queue.queues()).includes(mail));
  const there = new Queue<typeof jobs>(mail, { redis: stage.redis.url });
  stage.onEnd(() => there.close());
  await until(async () => (await there.counts()).queued === 2);
  t.match(await queue.counts(), { queued: 0, active: 0 });
  stage.worker(jobs, { queue: mail, cron: 'own' });
  await until(() => told.length === 2);
  t.match(told, [{ id: 'a|b', fn: 'pay', error: { message: 'declined' } }, { id: 'c' }]);
}); // prettier-ignore

scene('a handle finds its job on the queues there are routes to, with one look at each', async (t, stage) => {
  const { mail, reports } = names(stage);
  const queue = stage.queue({ routes: { sendMail: mail, makeReport: reports } });
  stage.worker({ makeReport: (n: number) => n }, { queue: reports });
  await queue.enqueue('sendMail', [1], { id: 'm' });
  await (await queue.enqueue('makeReport', [2], { id: 'r' })).result({ timeout: '10s' });
  const handle = queue.job('m');
  t.equal(handle.queue, stage.name, 'not known yet');
  t.equal(await handle.state(), 'queued');
  t.equal(handle.queue, mail);
  t.match(JSON.parse(JSON.stringify(handle)), { id: 'm', queue: mail }, 'as it is shown and sent');
  t.equal(await queue.job('r').result(), 2);
  t.equal(await queue.job('m').cancel(), true);
  t.equal((await queue.job('m').info()).state, 'cancelled');
  const sent = await commandsDuring(stage.redis, async () => {
    await t.rejects(queue.job('nobody').info(), { name: 'ResultNotFoundError' });
  });
  t.equal(sent.filter(([name]) => /^evalsha$/i.test(name!)).length, 3);
  t.equal(await queue.job('nobody').cancel(), false);
  // The id of a user may be there on any queue: what isn't ours is another job.
  await t.rejects(stage.queue().job('r').info(), { name: 'ResultNotFoundError' });
}); // prettier-ignore

scene('minq job finds a job on whichever queue it is, and asks where several have it', async (t, stage) => {
  const { mail, reports } = names(stage);
  const queue = stage.queue();
  const redis = stage.redis.url;
  const { id } = await queue.enqueue('f', [], { queue: mail });
  await queue.enqueue('f', [], { queue: mail, id: 'two' });
  await queue.enqueue('f', [], { queue: reports, id: 'two' });
  t.match(await command(['job', id], { redis }), { code: 0, stdout: new RegExp(`\nqueue +${mail}\n`) });
  const both = await command(['job', 'two'], { redis });
  t.match(both, { code: 2, stderr: /^minq: id: "two" is not usable; queues .*give --queue\n$/ });
  t.ok(both.stderr.includes(mail) && both.stderr.includes(reports));
  t.match(await command(['job', 'two', '--queue', reports], { redis }), { code: 0 });
  t.match(await command(['job', 'nobody'], { redis }), { code: 1, stderr: /unknown/ });
  t.match(await command(['cancel', id, '--yes'], { redis }), { code: 0, stdout: `job ${id} is cancelled\n` });
  t.match(await command(['retry', id], { redis }), { code: 0 });
  t.match(await command(['remove', 'two', '--yes'], { redis }), { code: 2, stderr: /give --queue/ });
}); // prettier-ignore

scene('what can’t be a route is said at once', async (t, stage) => {
  const wrong: [routes: unknown, message: RegExp][] = [
    ['mail', /^routes: "mail" is not usable; give an object, such as/],
    [{ sendMail: 'a b' }, /^routes.sendMail: "a b" is not usable; give 1 to 64/],
    [{ 'no name': 'mail' }, /^routes: "no name" is not usable; give the names of functions/],
    [{ sendMail: 5 }, /^routes.sendMail: 5/],
  ];
  for (const [routes, message] of wrong) {
    t.throws(() => stage.queue({ routes } as never), { code: 'INVALID_ARGUMENT', message });
  }
});

scene('minq worker: cron entries fire on the queues of their functions', async (t, stage) => {
  const { mail } = names(stage);
  const cwd = app(t, {
    'jobs.js': `import { job } from 'minq';
export const here = job({ every: '1h' }, () => 1);
export const there = job({ every: '1h', queue: '${mail}' }, () => 1);
`,
    'package.json': '{"type":"module"}',
  });
  const worker = minq(t, ['worker', 'jobs.js', '--queue', stage.name, '--queue', mail], { redis: stage.redis.url, cwd });
  const queue = stage.queue({ routes: { there: mail } });
  await until(async () => (await queue.schedules()).length === 2);
  t.match(await queue.schedules(), [{ name: 'here', queue: stage.name }, { name: 'there', queue: mail }]);
  await worker.end();
}); // prettier-ignore
