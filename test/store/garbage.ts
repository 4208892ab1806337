/**
 * Garbage in each argument and each stored value of each script: whatever becomes of the call, the state of the queue is the
 * one before, or as valid as before. Each case begins with the same state: jobs in every place, flows, cron entries.
 */
import type { Redis } from 'ioredis';
import t, { type Test } from 'tap';
import { chain, chord, group, step } from '../../src/flow/flow.ts';
import { planFlow } from '../../src/flow/plan.ts';
import type { NewJob } from '../../src/job/record.ts';
import { Connection } from '../../src/redis/connection.ts';
import type { Script } from '../../src/redis/script.ts';
import { Store } from '../../src/store/store.ts';
import { violations } from '../helpers/invariants.ts';
import { scene, type Stage } from '../helpers/setup.ts';
import { seeded } from '../helpers/seeded.ts';
import { claim, ERROR, settlement } from '../helpers/turns.ts';

const GARBAGE = [
  '', 'x', '-1', '0', '-0', '1.5', 'nan', 'inf', '-inf', '1e308', '99999999999999999999', '-99999999999999999999', '0x10', ' ',
  '{}', '[]', 'null', '"', '{"', ':', '::', ':1:1', 'a:1', 'a:x:y', '*', '%s', '|', '1|', 'ÿ', 'x'.repeat(5_000),
]; // prettier-ignore

/** A call as it is sent. */
interface Call {
  script: Script;
  keys: readonly string[];
  args: readonly string[];
}

const job = (id: string, how = '', fn = 'f'): NewJob => ({
  id,
  how,
  json: `{"fn":"${fn}","args":[]}`,
});

/** Jobs in every place. */
async function fill(store: Store): Promise<void> {
  const other = store.on('other');
  for (const flow of [
    chord([step('f', [1]), step('f', [2]), step('f', [3])], step('sum')),
    chain(step('f'), group([step('g'), step('g', [], { queue: 'other' })]), step('h')),
  ]) {
    const plan = planFlow(flow, store.queue, {});
    for (const [name, part] of plan.parts)
      await (name === 'other' ? other : store).flows.enqueue(plan, part);
  }
  await store.enqueue(['a', 'b', 'c', 'd', 'e', 'f'].map((id) => job(id)));
  const { claimed } = await claim(store, 1, 11);
  const outcomes = [
    { kind: 'completed', result: '5' }, { kind: 'failed', error: ERROR }, { kind: 'retry', error: ERROR, delayMs: 60_000 },
    { kind: 'released' }, { kind: 'completed', result: '"x"' },
  ] as const; // prettier-ignore
  await claim(
    store,
    2,
    0,
    ...claimed.slice(0, 5).map(({ ticket }, i) => settlement(ticket, outcomes[i]!)),
  );
  await store.cancel(claimed[5]!.ticket.replace(/:1:1$/, ''));
  const letters = ['h', 'n', 'l'];
  await store.enqueue(letters.map((letter) => job(`lane-${letter}`, `${letter} pending 0`)));
  await store.enqueue([job('later', `n kept ${Date.now() + 3_600_000}`)]);
  await store.enqueue([job('gone'), job('kept', 'n kept 0')]);
  await store.cancel('gone');
  await store.progress(claimed[6]!.ticket, '0.5');
  await store.cron.writeEntries('app', [
    {
      name: 'tick',
      seen: '',
      definition: '{"when":{"every":1000},"fn":"f","args":[]}',
      tick: 1_000,
    },
  ]);
  await store.watch(['kept', claimed[7]!.ticket.replace(/:1:1$/, '')], 'who');
}

/** One of each, as minq itself makes it for that state. */
async function callsOf(stage: Stage, store: Store, sent: Call[]): Promise<Call[]> {
  const active = await stage.redis.client.zrange(store.keys.active, '0', '-1');
  const ids = active.map((ticket) => ticket.replace(/:\d+:\d+$/, ''));
  const waiting = await stage.redis.client.zrange(store.keys.waiting, '0', '-1');
  const flow = planFlow(group([step('f'), step('g', [], { queue: 'other' })]), store.queue, {});
  const [first] = flow.parts.values();
  sent.length = 0;
  const quiet = (call: Promise<unknown>) => call.catch(() => {});
  await quiet(store.enqueue([job('new'), job('new-2')]));
  await quiet(
    store.enqueue([
      job('new-3', 'h kept 0'),
      job('kept', 'n kept 0'),
      job('new-4', `l - ${Date.now() + 9_000}`),
    ]),
  );
  const settlements = active.slice(0, 4).map((ticket, i) =>
    settlement(ticket, ([{ kind: 'completed', result: '1' }, { kind: 'failed', error: ERROR }, { kind: 'retry', error: ERROR, delayMs: 5 }, { kind: 'released' }] as const)[i]!),
  ); // prettier-ignore
  await quiet(claim(store, 3, 5, ...settlements));
  await quiet(claim(store, 3, 5, ...settlements));
  await quiet(
    store.heartbeat('{}', 15_000, active.slice(4), 'app', {
      number: 1,
      pairs: ['f:completed', '1'],
    } as never),
  );
  await quiet(store.progress(active.at(-1)!, '1'));
  await quiet(store.prune());
  for (const id of ['lane-n', 'later', ids.at(-1)!])
    await quiet(store.cancel(id) as Promise<unknown>);
  await quiet(store.retry(['gone', ...ids.slice(0, 2)]) as Promise<unknown>);
  const [origin = 'f.0', next = 'f.1'] = waiting.map(String);
  await quiet(
    store.flows.revive(
      [origin],
      [
        ['again', ids[1]!, next],
        ['group', `${origin.replace(/\.\d+$/, '')}*0`, `2 ${next}`],
        ['step', next, origin],
        ['member', ids[0]!, next],
      ],
    ),
  );
  await quiet(store.remove('lane-h') as Promise<unknown>);
  for (const state of ['queued', 'scheduled', 'failed', 'completed', 'cancelled'])
    await quiet(store.purge(state));
  await quiet(store.pause());
  await quiet(store.resume());
  await quiet(store.flows.enqueue(flow, first!));
  for (const id of waiting.slice(0, 2)) {
    const parts = `${id} {"name":"E","message":"m"}`;
    for (const [kind, payload] of [['go', '1'], ['begin', ''], ['fail', parts], ['ask', '2 test other'], ['gone', '2 test other']] as const) {
      await quiet(store.flows.deliver(kind, id, payload));
    } // prettier-ignore
    await quiet(store.flows.cancel(id.replace(/\.\d+$/, ''), 3));
  }
  await quiet(
    store.cron.beat('app', [
      {
        name: 'tick',
        tick: 1_000,
        definition: '{"when":{"every":1000},"fn":"f","args":[]}',
        next: 2_000,
        overlap: false,
        letter: 'n',
        latest: 1_000,
        most: 3,
        jobs: [{ tick: 1_000, json: '{"fn":"f","args":[]}' }],
      },
    ]),
  );
  await quiet(
    store.cron.writeEntries('app', [
      { name: 'tick', seen: '{"when":{"every":1000},"fn":"f","args":[]}', definition: '' },
    ]),
  );
  await quiet(store.repairs.audit());
  await quiet(store.repairs.repair());
  await quiet(store.prune({ completed: { age: 1, count: 2 }, failed: { age: 1, count: 2 } }));
  await quiet(store.cron.releaseBeat());
  await quiet(store.forget());
  await quiet(store.leave());
  return sent.slice();
}

const RESTORE = `
redis.call('FLUSHDB')
for i = 1, #ARGV, 2 do redis.call('RESTORE', ARGV[i], 0, ARGV[i + 1]) end`;

/** The state as text, whatever the order in which Redis tells it. */
const READ = `
local all = {}
for _, key in ipairs(redis.call('KEYS', '*')) do
  local kind, of = redis.call('TYPE', key).ok, nil
  if kind == 'hash' then of = redis.call('HGETALL', key)
  elseif kind == 'zset' then of = redis.call('ZRANGE', key, 0, -1, 'WITHSCORES')
  elseif kind == 'list' then of = redis.call('LRANGE', key, 0, -1)
  elseif kind == 'set' then of = redis.call('SMEMBERS', key) table.sort(of)
  else of = { redis.call('GET', key) } end
  all[#all + 1] = { key, kind, of }
end
return all`;

async function contents(client: Redis): Promise<string> {
  const all = (await client.eval(READ, 0)) as [string, string, string[]][];
  const inPairs = (flat: string[]) =>
    flat.flatMap((_, i) => (i % 2 ? [] : [[flat[i], flat[i + 1]].join('\u0001')])).sort();
  return all.map(([key, kind, of]) => JSON.stringify([key, kind, kind === 'hash' ? inPairs(of) : of])).sort().join('\n'); // prettier-ignore
}

/** Puts garbage in the place of one stored value. @returns what it did */
async function spoil(
  client: Redis,
  key: string,
  draw: (most: number) => number,
  garbage: string,
): Promise<string> {
  const one = (of: string[]) => of[draw(of.length)]!;
  const kind = await client.type(key);
  if (kind === 'string') {
    await client.set(key, garbage);
    return `${key} is the text ${JSON.stringify(garbage.slice(0, 30))}`;
  }
  const what = JSON.stringify(garbage.slice(0, 30));
  if (kind === 'hash') {
    const field = one(await client.hkeys(key));
    await client.hset(key, field, garbage);
    return `${field} of ${key} is ${what}`;
  }
  if (kind === 'list') {
    await client.lset(key, String(draw(await client.llen(key))), garbage);
    return `an element of ${key} is ${what}`;
  }
  if (kind === 'set') {
    await client.sadd(key, garbage);
    return `${key} has a member ${what}`;
  }
  const member = one(await client.zrange(key, '0', '-1'));
  if (/^-?(\d+(\.\d+)?|inf|1e308)$/.test(garbage)) {
    await client.zadd(key, garbage, member);
    return `the score of ${member} in ${key} is ${what}`;
  }
  await client.zadd(key, (await client.zscore(key, member)) ?? '1', garbage);
  return `${key} has a member ${what}`;
}

/** @param cases how many are played */
export function playGarbage(cases: number): void {
  const seed = Number(process.env['MINQ_GARBAGE_SEED'] ?? Date.now() % 1_000_000_000);
  t.setTimeout(400_000);
  scene(`garbage leaves a queue as it was, or valid (MINQ_GARBAGE_SEED=${seed})`, (test, stage) => play(test, stage, cases, seed)); // prettier-ignore
}

async function play(test: Test, stage: Stage, cases: number, seed: number): Promise<void> {
  const { client } = stage.redis;
  const draw = seeded(seed);
  await client.flushdb();
  const sent: Call[] = [];
  const store = recording(stage, sent);
  await fill(store);
  await store.enqueue([job('lost')]);
  await client.lrem(store.keys.queued, 0, 'lost:1:1'); // for repair
  const state = (await Promise.all((await client.keys('*')).map(async (key) => [key, await client.dumpBuffer(key)]))).flat(); // prettier-ignore
  const restore = () => client.eval(RESTORE, 0, ...(state as string[]));
  const there = new Set(await client.keys('*'));
  const calls = await callsOf(stage, store, sent);
  test.comment(
    `${calls.length} calls of ${new Set(calls.map(({ script }) => script.name)).size} scripts`,
  );
  const faults: string[] = [];
  let refused = 0;
  for (let i = 0; i < cases; i++) {
    await restore();
    const call = calls[draw(calls.length)]!;
    const garbage = GARBAGE[draw(GARBAGE.length)]!;
    const args = [...call.args];
    const keys = call.keys.filter((key) => there.has(key));
    let what: string;
    if (keys.length === 0 || (draw(3) === 0 && args.length > 0)) {
      if (args.length === 0) continue;
      const at = draw(args.length);
      what = `argument ${call.script.args[at] ?? at} is ${JSON.stringify(garbage.slice(0, 30))}`;
      args[at] = garbage;
    } else {
      what = await spoil(client, keys[draw(keys.length)]!, draw, garbage);
    }
    const before = await contents(client);
    const wrong = await misplaced(stage);
    const jobs = new Set(await client.hkeys(store.keys.jobs));
    const { source } = call.script.plain;
    const error = await client.eval(source, call.keys.length, ...call.keys, ...args).then(
      () => undefined,
      ({ message }: Error) => message,
    );
    if (error !== undefined) {
      refused++;
      if ((await contents(client)) !== before)
        faults.push(`${call.script.name}: ${what} -> ${error}`);
      continue;
    }
    // Who spoils a ticket takes what says where its job is.
    if (what.includes(`of ${store.keys.tickets} is`)) continue;
    for (const [id, line] of await misplaced(stage)) {
      if (jobs.has(id) && !wrong.has(id)) faults.push(`${call.script.name}: ${what} -> ${line}`);
    }
  }
  test.comment(`${cases} cases, ${refused} refused`);
  await client.flushdb();
  test.same(
    faults.slice(0, 40),
    [],
    `${faults.length} of them left half of a change, or lost a job`,
  );
}

/** Jobs that are not in exactly one place, and what is said of them. */
async function misplaced({ redis, name }: Stage): Promise<Map<string, string>> {
  const lines = await violations(redis.client, name);
  return new Map(lines.flatMap((line) => {
    const [, id] = /^job (.*) is in \d+ places/s.exec(line) ?? [];
    return id === undefined ? [] : [[id, line]];
  })); // prettier-ignore
}

/** A store that notes what it sends. */
function recording(stage: Stage, sent: Call[]): Store {
  const connection = new Connection(stage.redis.url, { name: 'minq:test', callTimeoutMs: 5_000 });
  stage.onEnd(async () => connection.close());
  const run = connection.run.bind(connection);
  connection.run = (script, keys, args, deadline) => {
    if (keys[0]!.includes(`{${stage.name}}`)) sent.push({ script, keys, args });
    return run(script, keys, args, deadline);
  };
  return new Store(connection, 'minq', stage.name, 'a');
}
