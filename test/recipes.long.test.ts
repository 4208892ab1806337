/** The recipes: installed with the packed package, checked by the compiler, and started for real. */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import { ROOT } from './helpers/cli.ts';
import { freePort, startRedis, type TestRedis } from './helpers/redis.ts';
import { until } from './helpers/until.ts';

t.setTimeout(600_000);

const TOKEN = 'a-token-for-the-admin';
const PACKAGES =
  `express@5 fastify@5 hono@4 @hono/node-server@2 next@16 react@19 react-dom@19 @nestjs/core@12
  @nestjs/common@12 @nestjs/platform-express@12 reflect-metadata rxjs nodemailer@10 smtp-server@3 libsql@0.5 typescript@6
  @types/node@20 @types/react@19 @types/express@5 @types/nodemailer`.split(/\s+/);

const top = mkdtempSync(path.join(tmpdir(), 'minq-recipes-'));
const redises: TestRedis[] = [];
t.teardown(async () => {
  for (const redis of redises) await redis.stop();
  rmSync(top, { recursive: true, force: true, maxRetries: 5 });
});
// As a user's shell has it: none of npm's or the test runner's variables.
const env = Object.fromEntries(
  Object.entries(process.env).filter(
    ([name]) => !/^(npm_|TAP|_TAPJS|NODE_OPTIONS|NEXT_)/.test(name),
  ),
);
env['NEXT_TELEMETRY_DISABLED'] = '1';
const run = (command: string, args: string[], cwd = top, more: Record<string, string> = {}) =>
  promisify(execFile)(command, args, { cwd, env: { ...env, ...more }, timeout: 500_000 }).then(
    ({ stdout, stderr }) => ({ failed: false, said: stdout + stderr }),
    (error: { stdout: string; stderr: string }) => ({
      failed: true,
      said: error.stdout + error.stderr,
    }),
  );
const bin = (name: string) => path.join(top, 'node_modules/.bin', name);

/** A recipe with a Redis of its own, and what it takes to run it. */
async function begin(t: Test, name: string, more: Record<string, string> = {}) {
  const redis = await startRedis();
  redises.push(redis);
  const port = await freePort();
  const folder = path.join(top, name);
  const own = { REDIS_URL: redis.url, PORT: String(port), ADMIN_TOKEN: TOKEN, ...more };
  const children = new Set<ChildProcess>();
  t.teardown(() => {
    for (const child of children) child.kill('SIGKILL');
  });
  const start = (program: string, args: string[]) => {
    const child = spawn(program, args, { cwd: folder, env: { ...env, ...own }, stdio: 'pipe' });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => (said += data.toString())); // prettier-ignore
    children.add(child);
    const ended = once(child, 'exit').then(([code]) => code as number | null);
    void ended.then(() => children.delete(child));
    return {
      child,
      said: () => said,
      /** Asks it to stop. @returns its exit code */
      stop: () => (child.kill('SIGTERM'), ended),
      kill: () => (child.kill('SIGKILL'), ended),
    };
  };
  const ask = async (path: string, body?: unknown, headers: Record<string, string> = {}) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
      headers: { 'content-type': 'application/json', ...headers },
    });
    const said = await response.text();
    const json = response.headers.get('content-type')?.includes('json');
    return {
      status: response.status,
      body: json ? (JSON.parse(said) as any) : said,
      headers: response.headers,
    };
  };
  return {
    redis,
    folder,
    port: String(port),
    ask,
    start,
    app: (file = 'app.ts') => start(bin('jiti'), [file]),
    worker: () => start(bin('minq'), ['worker', './jobs.ts', '--verbose']),
    minq: (...args: string[]) => run(bin('minq'), args, folder, own),
    up: (path: string) => until(() => ask(path).then(({ status }) => status < 500, () => false), { timeoutMs: 60_000, what: `${name} answers` }), // prettier-ignore
  };
}

void t.test('the package and what the recipes need are installed, and they compile', async (t) => {
  const { said } = await run(
    'npm',
    ['pack', '--ignore-scripts', '--silent', '--pack-destination', top],
    ROOT,
  );
  cpSync(path.join(ROOT, 'test/recipes'), top, { recursive: true });
  writeFileSync(path.join(top, 'package.json'), '{ "type": "module" }');
  const flags = [
    '--prefer-offline',
    '--no-audit',
    '--no-fund',
    '--ignore-scripts',
    '--legacy-peer-deps',
  ];
  const installed = await run('npm', ['install', `./${said.trim()}`, ...PACKAGES, ...flags]);
  t.notOk(installed.failed, installed.said);
  const compilerOptions = {
    strict: true,
    noEmit: true,
    target: 'es2023',
    lib: ['es2023', 'esnext.disposable', 'dom'],
    module: 'preserve',
    moduleResolution: 'bundler',
    allowImportingTsExtensions: true,
    experimentalDecorators: true,
    skipLibCheck: true,
    types: ['node'],
  };
  writeFileSync(path.join(top, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*/**/*.ts'], exclude: ['node_modules'] })); // prettier-ignore
  const compiled = await run(bin('tsc'), []);
  t.equal(compiled.said, '');
});

/** What the five have in common. */
async function answers(
  t: Test,
  it: Awaited<ReturnType<typeof begin>>,
  base: string,
  admin: string,
) {
  await it.up(`${base}/unknown`);
  t.match(await it.ask(`${base}/unknown`), { status: 404, body: {} });
  t.equal((await it.ask(base, {})).status, 400, 'a request without a month');
  const made = await it.ask(base, { month: '2026-11' });
  t.match(made, { status: 202, body: { id: String } });
  const at = `${base}/${made.body.id}`;
  t.match(await it.ask(at), { status: 200, body: { status: 'pending' } });
  const worker = it.worker();
  const seen = new Set<string>();
  await until(async () => {
    const { status } = (await it.ask(at)).body;
    seen.add(status);
    return status === 'done';
  });
  t.same([...seen], ['pending', 'in progress', 'done']);
  t.match(await it.ask(at), { body: { result: { month: '2026-11', rows: 310 } } });
  t.equal((await it.ask(`${admin}/api/queues`)).status, 401, 'the dashboard wants its token');
  const authorized = { authorization: `Bearer ${TOKEN}` };
  t.match(await it.ask(admin), { status: 200, body: /^<!doctype html>/i }, 'its page asks for it');
  const queues = await it.ask(`${admin}/api/queues`, undefined, authorized);
  t.match(JSON.stringify(queues.body), /"default"/);
  t.equal(await worker.stop(), 0);
}

for (const name of ['express', 'fastify', 'hono', 'nest']) {
  void t.test(name, async (t) => {
    const it = await begin(t, name);
    const app = it.app();
    await answers(t, it, '/reports', '/admin/minq');
    t.equal(await app.stop() ?? 0, 0, app.said());
    const { client } = it.redis;
    await until(async () => !String(await client.client('LIST')).includes(' name=minq:'));
  }); // prettier-ignore
}

void t.test('next', async (t) => {
  const it = await begin(t, 'next');
  const built = await run(bin('next'), ['build'], it.folder);
  t.notOk(built.failed, built.said);
  const app = it.start(bin('next'), ['start', '--hostname', '127.0.0.1', '--port', it.port]);
  await answers(t, it, '/api/reports', '/api/minq');
  await app.stop();
});

/** The mail server: away for every first try, and for good for some. */
function mailServer() {
  const { SMTPServer } = createRequire(path.join(top, 'package.json'))('smtp-server') as any;
  const mails: { to: string; subject: string; id: string }[] = [];
  const tries = new Map<string, number>();
  const refusal = (responseCode: number, message: string) =>
    Object.assign(new Error(message), { responseCode });
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onRcptTo({ address }: { address: string }, _: unknown, done: (error?: Error) => void) {
      const times = (tries.get(address) ?? 0) + 1;
      tries.set(address, times);
      if (address.startsWith('nobody@')) return done(refusal(550, 'no such user'));
      done(times === 1 ? refusal(451, 'try again later') : undefined);
    },
    onData(stream: NodeJS.ReadableStream, session: any, done: () => void) {
      void text(stream as never).then((mail) => {
        const header = (name: string) =>
          new RegExp(`^${name}: (.*)$`, 'mi').exec(mail)?.[1]?.trim() ?? '';
        mails.push({
          to: session.envelope.rcptTo[0].address,
          subject: header('subject'),
          id: header('message-id'),
        });
        done();
      });
    },
  });
  return { server, mails, tries };
}

void t.test('mail', async (t) => {
  const { server, mails, tries } = mailServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => new Promise((resolve) => server.close(resolve)));
  const it = await begin(t, 'mail', {
    SMTP_URL: `smtp://127.0.0.1:${server.server.address().port}`,
  });
  const [app, worker] = [it.app(), it.worker()];
  await until(() => it.ask('/', {}).then(() => true, () => false)); // prettier-ignore
  const emails = Array.from({ length: 20 }, (_, i) => `user${i}@example.com`);
  const signedUp = await Promise.all(
    [...emails, ...emails, 'nobody@example.com'].map((email) => it.ask('/', { email })),
  );
  t.ok(signedUp.every(({ status }) => status === 202));
  await until(() => mails.length === 20);
  await until(async () => /1 +/.test((await it.minq('jobs', 'failed')).said));
  t.same(
    mails.map(({ to }) => to).toSorted(),
    emails.toSorted(),
    'one each, though each asked twice, and the server was away',
  );
  t.ok(
    mails.every(
      ({ to, id, subject }) => id === `<welcome:${to}@example.com>` && subject === 'Welcome',
    ),
  );
  t.equal(tries.get('nobody@example.com'), 1, 'what is refused for good is not tried again');
  t.match((await it.minq('cron', 'run', 'nightlyDigest')).said, /cron:nightlyDigest:/);
  await until(() =>
    mails.some(
      ({ to, subject }) => to === 'admin@example.com' && subject.startsWith('Digest of 20'),
    ),
  );
  t.equal(await worker.stop(), 0);
  t.equal((await app.stop()) ?? 0, 0);
});

/** What the shop calls: knows the keys it has worked for; is away now and then, and loses answers. */
function services() {
  const done = new Map<string, { path: string; trace: string; body: any }>();
  let calls = 0;
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const key = `${request.url} ${String(request.headers['idempotency-key'])}`;
      const given = JSON.parse(body);
      if (given.card === 'declined') return response.writeHead(402).end('card declined');
      if (++calls % 3 === 0) return response.writeHead(503).end();
      if (!done.has(key))
        done.set(key, {
          path: request.url!,
          trace: String(request.headers['x-trace']),
          body: given,
        });
      if (calls % 4 === 0) return response.destroy(); // done, and nobody hears of it
      const name =
        { '/charges': 'charge', '/labels': 'label', '/receipts': 'receipt' }[request.url!] ?? 'ok';
      response
        .setHeader('content-type', 'application/json')
        .end(JSON.stringify({ [name]: `${name} of ${key.split(' ')[1]}` }));
    });
  });
  return { server, done };
}

void t.test('shop', async (t) => {
  const { server, done } = services();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => (server.closeAllConnections(), server.close()));
  const it = await begin(t, 'shop', {
    SERVICES_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
  });
  const [app, worker] = [it.app(), it.worker()];
  await it.up('/unknown');
  const orders = Array.from({ length: 12 }, (_, i) => `o${i}`);
  const placed = await Promise.all(
    orders.map((id) => it.ask('/', { id, card: 'good', amount: 20 }, { 'x-trace': `trace-${id}` })),
  );
  const bad = await it.ask(
    '/',
    { id: 'bad', card: 'declined', amount: 20 },
    { 'x-trace': 'trace-bad' },
  );
  for (const { status, body } of [...placed, bad]) {
    t.equal(status, 202);
    await until(async () => /completed|failed/.test((await it.ask(`/${body.id}`)).body.state));
  }
  for (const { body } of placed) {
    t.match((await it.ask(`/${body.id}`)).body, {
      state: 'completed',
      result: { label: /^label of /, receipt: /^receipt of / },
      steps: 4,
    });
  }
  t.match((await it.ask(`/${bad.body.id}`)).body, { state: 'failed', error: 'card declined' });
  await until(() => [...done.values()].some(({ path }) => path === '/stock'));
  const paths = [...done.values()].map(({ path }) => path);
  const count = (wanted: string) => paths.filter((each) => each === wanted).length;
  t.same(
    ['/charges', '/labels', '/receipts', '/completed', '/stock'].map(count),
    [12, 12, 12, 12, 1],
    'each once, whatever was lost',
  );
  for (const id of orders) {
    const traced = [...done.values()]
      .filter(({ trace }) => trace === `trace-${id}`)
      .map((each) => each.path);
    t.same(
      traced.toSorted(),
      ['/charges', '/completed', '/labels', '/receipts'],
      'one trace through all of an order',
    );
  }
  t.same(
    [...done.values()]
      .filter(({ trace }) => trace === 'trace-bad')
      .map((each) => [each.path, each.body.order]),
    [['/stock', 'bad']],
  );
  t.match((await it.minq('cron')).said, /reconcile.*\*\/15/);
  t.equal(await worker.stop(), 0);
  t.equal((await app.stop()) ?? 0, 0);
});

void t.test('outbox', async (t) => {
  const [database, shipped] = [path.join(top, 'outbox.db'), path.join(top, 'shipped.txt')];
  writeFileSync(shipped, '');
  const it = await begin(t, 'outbox', { DATABASE: database, SHIPPED: shipped });
  const Database = createRequire(path.join(top, 'package.json'))('libsql') as any;
  const worker = it.worker();
  const inTable = (table: string): number => {
    const db = new Database(database);
    try {
      db.exec('PRAGMA busy_timeout = 5000');
      return db.prepare(`SELECT count(*) AS n FROM ${table}`).get().n;
    } finally {
      db.close();
    }
  };
  let app = it.app();
  await until(() => { try { return inTable('outbox') > 10; } catch { return false; } }); // prettier-ignore
  let relay = it.app('relay.ts');
  // Each is killed again and again, wherever it stands: between the commit and the queue, or between the queue and its note.
  for (let round = 0; round < 6; round++) {
    const before = readFileSync(shipped, 'utf8').length;
    await until(() => readFileSync(shipped, 'utf8').length > before);
    await new Promise((resolve) => setTimeout(resolve, 20 + 37 * round));
    if (round % 3 === 0) {
      await app.kill();
      app = it.app();
    }
    await relay.kill();
    relay = it.app('relay.ts');
  }
  await app.kill();
  const orders = inTable('orders');
  const lines = () => readFileSync(shipped, 'utf8').split('\n').filter(Boolean);
  await until(() => inTable('outbox') === 0 && lines().length >= orders);
  t.equal(await relay.stop(), 0, relay.said());
  t.equal(await worker.stop(), 0);
  t.ok(orders > 50, `${orders} orders`);
  t.same(
    lines()
      .map(Number)
      .toSorted((a, b) => a - b),
    Array.from({ length: orders }, (_, i) => i + 1),
    'nothing lost, nothing twice',
  );
});
