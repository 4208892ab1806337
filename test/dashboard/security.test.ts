/** What a dashboard must not be talked into: each forged request, against a real server. */
import { once } from 'node:events';
import { Agent, createServer, request, type IncomingMessage } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import t from 'tap';
import { sendError } from '../../src/dashboard/answer.ts';
import { currentJob } from '../../src/index.ts';
import { dashboard } from '../../src/dashboard/index.ts';
import { scene, type Stage } from '../helpers/setup.ts';
import { until } from '../helpers/until.ts';
import { OURS, serve, handlerOn, site, type Ask } from '../helpers/site.ts';

const TOKEN = 'correct-horse-battery';
const READS = ['', 'main.js', 'api/queues', 'api/workers', 'api/cron', 'nothing'];

const basic = (password: string, user = 'me') =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;

/** A paused queue with a failed job and one that waits, to see whether anything changes. */
async function target(stage: Stage) {
  const queue = stage.queue();
  await queue.pause();
  await queue.enqueue('work', ['secret'], { id: 'one' });
  const state = async () => JSON.stringify([await queue.counts(), await queue.stats()]);
  return { queue, state, before: await state() };
}

scene('a change is refused unless it comes from our own page', async (t, stage) => {
  const { port, ask, act } = await site(stage);
  const { queue, state, before } = await target(stage);
  const host = `localhost:${port}`;
  const body = JSON.stringify({ action: 'resume', queue: stage.name });
  const { 'X-Requested-With': _, ...noRequestedWith } = OURS;
  const { 'Content-Type': __, ...noType } = OURS;
  const forged: [string, number, Ask][] = [
    ['cross-site form', 403, { method: 'POST', headers: { 'Content-Type': 'application/x-www-form-urlencoded', Origin: 'https://evil.example', 'Sec-Fetch-Site': 'cross-site' }, body: 'action=resume' }],
    ['form that looks like JSON', 403, { method: 'POST', headers: { 'Content-Type': 'text/plain', Origin: 'https://evil.example' }, body }],
    ['multipart form', 403, { method: 'POST', headers: { ...OURS, 'Content-Type': 'multipart/form-data; boundary=x' }, body }],
    ['text/plain', 403, { method: 'POST', headers: { ...OURS, 'Content-Type': 'text/plain' }, body }],
    ['text/plain that names JSON', 403, { method: 'POST', headers: { ...OURS, 'Content-Type': 'text/plain; application/json' }, body }],
    ['a type that begins like JSON', 403, { method: 'POST', headers: { ...OURS, 'Content-Type': 'application/jsonp' }, body }],
    ['no content type', 403, { method: 'POST', headers: noType, body }],
    ['no X-Requested-With', 403, { method: 'POST', headers: noRequestedWith, body }],
    ['another X-Requested-With', 403, { method: 'POST', headers: { ...OURS, 'X-Requested-With': 'XMLHttpRequest' }, body }],
    ['no headers at all', 403, { method: 'POST', body }],
    ['foreign Origin', 403, { method: 'POST', headers: { ...OURS, Origin: 'https://evil.example' }, body }],
    ['Origin null', 403, { method: 'POST', headers: { ...OURS, Origin: 'null' }, body }],
    ['Origin on another port', 403, { method: 'POST', headers: { ...OURS, Origin: `http://localhost:${port + 1}` }, body }],
    ['Origin that begins with ours', 403, { method: 'POST', headers: { ...OURS, Origin: `http://${host}.evil.example` }, body }],
    ['Origin of another scheme', 403, { method: 'POST', headers: { ...OURS, Origin: `file://${host}` }, body }],
    ['Sec-Fetch-Site cross-site', 403, { method: 'POST', headers: { ...OURS, 'Sec-Fetch-Site': 'cross-site' }, body }],
    ['Sec-Fetch-Site same-site', 403, { method: 'POST', headers: { ...OURS, 'Sec-Fetch-Site': 'same-site' }, body }],
    ['Sec-Fetch-Site none', 403, { method: 'POST', headers: { ...OURS, 'Sec-Fetch-Site': 'none' }, body }],
    ['wrong Host', 403, { method: 'POST', headers: { ...OURS, Host: 'evil.example' }, body }],
    ['wrong Host and Origin alike', 403, { method: 'POST', headers: { ...OURS, Host: 'evil.example', Origin: 'http://evil.example' }, body }],
    ['GET', 405, { method: 'GET', headers: OURS }],
    ['HEAD', 405, { method: 'HEAD', headers: OURS }],
    ['PUT', 405, { method: 'PUT', headers: OURS, body }],
    ['PATCH', 405, { method: 'PATCH', headers: OURS, body }],
    ['DELETE', 405, { method: 'DELETE', headers: OURS }],
    ['method override', 405, { method: 'GET', headers: { ...OURS, 'X-HTTP-Method-Override': 'POST' } }],
    ['preflight', 405, { method: 'OPTIONS', headers: { Origin: 'https://evil.example', 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'x-requested-with,content-type' } }],
  ];
  for (const [what, status, how] of forged) {
    const answer = await ask('api/action?action=resume&queue=' + stage.name, how);
    t.equal(answer.status, status, `${what}: ${status}`);
    if (how.method !== 'HEAD') t.type(answer.json.error, 'string');
    if (status === 405) t.equal(answer.headers['allow'], 'POST');
    t.same(Object.keys(answer.headers).filter((name) => name.startsWith('access-control')), []);
  }
  t.equal(await state(), before, 'nothing has changed');
  t.ok((await queue.counts()).paused);

  const ours = { Origin: `http://${host}`, 'Sec-Fetch-Site': 'same-origin', 'Content-Type': 'application/json; charset=utf-8' };
  t.match(await act({ action: 'resume', queue: stage.name }, ours), { status: 200, json: { done: true } });
  t.notOk((await queue.counts()).paused, 'the same from our page is done');
}); // prettier-ignore

scene('reads are for GET and HEAD only', async (t, stage) => {
  const { ask, get } = await site(stage);
  for (const path of READS) {
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
      const { status, headers } = await ask(path, { method, headers: OURS });
      t.equal(status, 405, `${method} ${path}`);
      t.equal(headers['allow'], 'GET, HEAD');
    }
  }
  const head = await ask('api/queues', { method: 'HEAD' });
  const full = await get('api/queues');
  t.match(head, { status: 200, text: '' });
  t.equal(head.headers['content-type'], full.headers['content-type']);
});

scene('a name that is not on the list is refused, reads too (DNS rebinding)', async (t, stage) => {
  const { port, get } = await site(stage, {
    allowedHosts: ['admin.example.com', 'fixed.example:8080', '[::5]'],
  });
  const refused = [
    'evil.example', `evil.example:${port}`, 'localhost.evil.example', 'evil-localhost', 'localhost.', '127.0.0.2',
    '127.0.0.1.evil.example', '2130706433', '0x7f.1', '0.0.0.0', '[::]', '[::1', '::1', 'user@localhost', 'localhost/x',
    'localhost:', 'localhost:80:80', 'localhost localhost', 'localhost, evil.example', 'fixed.example', 'fixed.example:80',
    'ADMIN.example.org', 'xadmin.example.com', '__proto__',
  ]; // prettier-ignore
  for (const Host of refused) {
    for (const path of READS) {
      const { status, json } = await get(path, { Host });
      t.equal(status, 403, `${Host} /${path}`);
      t.match(json.error, /^Host: .* is not allowed; set the option 'allowedHosts'/);
    }
  }
  const allowed = [
    'localhost', 'LOCALHOST', `localhost:${port}`, '127.0.0.1', '127.0.0.1:1', '[::1]', '[::1]:5555',
    'admin.example.com', 'Admin.Example.com:443', 'fixed.example:8080', '[::5]:80',
  ]; // prettier-ignore
  for (const Host of allowed) t.equal((await get('api/queues', { Host })).status, 200, Host);
});

scene('no Host at all is refused', async (t, stage) => {
  const { port } = await site(stage);
  for (const version of ['1.0', '1.1']) {
    const text = await raw(port, `GET /api/queues HTTP/${version}\r\nConnection: close\r\n\r\n`);
    t.match(text, /^HTTP\/1\.1 40[03] /, `HTTP/${version}`);
    t.notMatch(text, /"queues"/);
  }
  t.match(await raw(port, 'GET /api/queues HTTP/1.0\r\n\r\n'), /^HTTP\/1\.1 403 /);
  t.match(await raw(port, 'GET /api/queues HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n'), /^HTTP\/1\.1 403 /);
  const two = 'GET /api/queues HTTP/1.1\r\nHost: evil.example\r\nHost: localhost\r\nConnection: close\r\n\r\n';
  t.match(await raw(port, two), /^HTTP\/1\.1 40[03] /, 'two of them: the first counts');
}); // prettier-ignore

scene('whoever can be reached from outside needs a token or a hook', async (t, stage) => {
  const address = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .find(({ internal, family }) => !internal && family === 'IPv4')?.address;
  if (address === undefined)
    return void t.pass('', { skip: 'this machine has no address of its own' });
  const open = await site(stage, { allowedHosts: [address] }, address);
  for (const path of READS) {
    const { status, json } = await open.get(path, { Host: `${address}:${open.port}` });
    t.equal(status, 403, path);
    t.match(json.error, /asked from outside this machine: give it the option 'token' or 'auth'/);
  }
  const local = await open.get('api/queues');
  t.equal(local.status, 403, 'whatever it says it is asked for: the address counts');
  const change = await open.act({ action: 'pause', queue: stage.name });
  t.equal(change.status, 403);

  const token = await site(stage, { allowedHosts: [address], token: TOKEN }, address);
  const Host = `${address}:${token.port}`;
  t.equal((await token.get('api/queues', { Host })).status, 401);
  t.equal((await token.get('api/queues', { Host, Authorization: `Bearer ${TOKEN}` })).status, 200);
  const hook = await site(stage, { allowedHosts: [address], auth: () => true }, address);
  t.equal((await hook.get('api/queues', { Host: `${address}:${hook.port}` })).status, 200);
});

scene('every address, asked over the loopback: no token wanted, for it is this machine', async (t, stage) => {
  const every = await site(stage, {}, '0.0.0.0');
  t.equal((await every.get('api/queues')).status, 200);
  const six = await site(stage, {}, '::1').catch(() => undefined);
  if (six) t.equal((await six.get('api/queues')).status, 200, '::1');
}); // prettier-ignore

scene('a token with colons in it, as password too', async (t, stage) => {
  const token = 'first:second::third:';
  const { get } = await site(stage, { token });
  for (const Authorization of [basic(token), basic(token, ''), `Bearer ${token}`]) {
    t.equal((await get('api/queues', { Authorization })).status, 200, Authorization);
  }
  for (const part of ['first', 'second', 'third:', 'second::third:', 'first:second::third']) {
    t.equal((await get('api/queues', { Authorization: basic(part) })).status, 401, part);
  }
});

scene('results and progress are redacted, and withheld where that fails', async (t, stage) => {
  const queue = stage.queue();
  stage.worker({
    tells: async () => 'hunter2',
    goesOn: async () => {
      currentJob().progress({ at: 'hunter2' });
      await new Promise((resolve) => currentJob().signal.addEventListener('abort', resolve));
    },
  });
  await (await queue.enqueue('tells', [], { id: 'done' })).result();
  await queue.enqueue('goesOn', [], { id: 'runs' });
  await until(async () => (await queue.job('runs').info()).progress !== undefined);
  const paths = [
    ...['completed', 'active'].map((state) => `api/jobs?queue=${stage.name}&state=${state}`),
    ...['done', 'runs'].map((id) => `api/job?queue=${stage.name}&id=${id}`),
  ];
  const texts = async (redact?: unknown) => {
    const { get } = await site(stage, redact ? { redact: redact as never } : {});
    return Promise.all(paths.map(async (path) => (await get(path)).text));
  };
  const plain = await texts();
  for (const i of [1, 2, 3]) t.match(plain[i], 'hunter2', `${paths[i]} has it`);
  const hidden = (job: object) => ({ ...job, result: '***', progress: '***' });
  for (const redact of [hidden, () => undefined, () => { throw new Error('no'); }]) {
    for (const text of await texts(redact)) t.notMatch(text, 'hunter2');
  }
  t.match((await texts(hidden))[2], /\*\*\*/);
}); // prettier-ignore

scene('a session: a cookie that scripts can not read, for who gives the token to our own page', async (t, stage) => {
  const { ask, get, act } = await site(stage, { token: TOKEN });
  const logIn = (body: unknown, headers: Record<string, string> = {}) =>
    ask('api/login', { method: 'POST', headers: { ...OURS, ...headers }, body: JSON.stringify(body) });
  const quiet = await get('api/queues', { 'X-Requested-With': 'minq' });
  t.equal(quiet.headers['www-authenticate'], undefined, 'our page asks itself');
  for (const wrong of [{ token: 'wrong' }, { token: `${TOKEN}x` }, { token: null }, { token: [TOKEN] }, { token: {} }, { token: 17 }]) {
    const answer = await logIn(wrong);
    t.equal(answer.status, 401, JSON.stringify(wrong));
    t.equal(answer.headers['set-cookie'], undefined);
  }
  const forged: Record<string, string>[] = [{ 'Content-Type': 'text/plain' }, { 'X-Requested-With': 'other' }, { Origin: 'http://evil.test' }, { 'Sec-Fetch-Site': 'cross-site' }];
  for (const headers of forged) t.equal((await logIn({ token: TOKEN }, headers)).status, 403, JSON.stringify(headers));
  t.equal((await get('api/login')).status, 405);
  const [given] = (await logIn({ token: TOKEN })).headers['set-cookie'] as string[];
  t.match(given, /^minq_session=[\w-]{43}; Max-Age=2592000; HttpOnly; SameSite=Strict$/);
  t.notMatch(given, TOKEN);
  t.match((await logIn({ token: TOKEN }, { 'X-Forwarded-Proto': 'https' })).headers['set-cookie'], [/; Secure$/]);
  const Cookie = given!.split(';')[0]!;
  t.equal((await get('api/queues', { Cookie })).status, 200);
  t.equal((await get('api/queues', { Cookie: `a=b; ${Cookie}; c=d` })).status, 200);
  t.equal((await act({ action: 'pause', queue: stage.name }, { Cookie })).status, 200);
  t.equal((await act({ action: 'pause', queue: stage.name }, { Cookie, Origin: 'http://evil.test' })).status, 403);
  t.equal((await act({ action: 'pause', queue: stage.name }, { Cookie, 'Sec-Fetch-Site': 'same-site' })).status, 403);
  const guesses = [`${Cookie}x`, Cookie.slice(0, -1), Cookie.replace('minq_session', 'x_minq_session'), 'minq_session=', `minq_session=${TOKEN}`, `minq_session=${'A'.repeat(43)}`];
  for (const guess of guesses) t.equal((await get('api/queues', { Cookie: guess })).status, 401, guess);
  t.match((await logIn({})).headers['set-cookie'], [/^minq_session=; Max-Age=0; HttpOnly/], 'ended');
  const other = await site(stage, { token: `${TOKEN}2` });
  t.equal((await other.get('api/queues', { Cookie })).status, 401, 'a new token ends all sessions');
  const open = await site(stage);
  t.equal((await open.ask('api/login', { method: 'POST', headers: OURS, body: '{"token":"x"}' })).status, 404);
}); // prettier-ignore

scene('the token, as Bearer or as password', async (t, stage) => {
  const { get, act } = await site(stage, { token: TOKEN });
  const wrong = [
    undefined, '', 'Bearer', 'Bearer ', `Bearer ${TOKEN}x`, `Bearer ${TOKEN.slice(0, -1)}`, `Bearer x${TOKEN}`,
    `Bearer ${TOKEN.toUpperCase()}`, TOKEN, `Token ${TOKEN}`, `Digest ${TOKEN}`, `Bearer ${TOKEN} ${TOKEN}`,
    basic(''), basic('wrong'), basic(`${TOKEN}:`), basic('x', TOKEN), 'Basic !!!', `Basic ${TOKEN}`,
    `Basic ${Buffer.from(TOKEN).toString('base64')}`, 'Bearer undefined', 'Bearer null', 'Bearer [object Object]',
  ]; // prettier-ignore
  for (const authorization of wrong) {
    const headers: Record<string, string> =
      authorization === undefined ? {} : { Authorization: authorization };
    for (const path of ['api/queues', 'api/job?id=x', 'api/nothing', 'metrics']) {
      const answer = await get(path, headers);
      t.equal(answer.status, 401, `${authorization} /${path}`);
      t.match(answer.headers['www-authenticate'], /^Basic realm="minq"/, 'a browser asks for it');
      t.notMatch(answer.text, TOKEN);
    }
  }
  t.equal((await get('')).status, 200, 'the page, which asks for it');
  t.equal((await act({ action: 'pause', queue: stage.name })).status, 401);
  t.equal((await get(`api/queues?token=${TOKEN}`)).status, 401, 'never in the address');
  for (const right of [`Bearer ${TOKEN}`, `bearer ${TOKEN}`, basic(TOKEN), basic(TOKEN, '')]) {
    t.equal((await get('api/queues', { Authorization: right })).status, 200, right);
  }
  const evil = { Authorization: basic(TOKEN), Origin: 'https://evil.example' };
  const change = { action: 'pause', queue: stage.name };
  t.equal((await act(change, evil)).status, 403, 'a browser adds the password to forged ones too');
  t.equal((await act(change, { Authorization: basic(TOKEN) })).status, 200);
});

scene('the hook decides; one that fails lets nobody in', async (t, stage) => {
  const seen: (string | undefined)[] = [];
  const auth = (request: { headers: Record<string, unknown> }) => {
    const who = request.headers['x-who'] as string | undefined;
    seen.push(who);
    if (who === 'throws') throw new Error('secret of the hook');
    if (who === 'rejects') return Promise.reject(new Error('secret of the hook'));
    if (who === 'truthy') return 'yes' as unknown as boolean;
    return who === 'later' ? Promise.resolve(true) : who === 'me';
  };
  const { get, act } = await site(stage, { auth });
  for (const who of ['', 'you', 'throws', 'rejects', 'truthy']) {
    const { status, text } = await get('api/queues', { 'X-Who': who });
    t.equal(status, 403, who);
    t.notMatch(text, /secret/);
    t.equal((await act({ action: 'pause', queue: stage.name }, { 'X-Who': who })).status, 403);
    t.equal((await get('main.js', { 'X-Who': who })).status, 403);
  }
  for (const who of ['me', 'later']) t.equal((await get('api/queues', { 'X-Who': who })).status, 200, who);
  const asked = seen.length;
  t.equal((await get('api/queues', { 'X-Who': 'me', Host: 'evil.example' })).status, 403);
  t.equal(seen.length, asked, 'the hook is not asked about other hosts');
}); // prettier-ignore

scene('read-only: shown, not changed', async (t, stage) => {
  const { get, act } = await site(stage, { readOnly: true });
  const { state, before } = await target(stage);
  t.match((await get('api/queues')).json, { readOnly: true });
  const { name: queue } = stage;
  for (const action of [
    { action: 'resume', queue },
    { action: 'remove', queue, id: 'one' },
    { action: 'cancel', queue, id: 'one' },
    { action: 'retry', queue, id: 'one' },
    { action: 'retryAll', queue },
    { action: 'purge', queue, state: 'queued' },
    { action: 'run', queue, name: 'x' },
    { action: 'nonsense' },
  ]) {
    // prettier-ignore
    t.match(await act(action), { status: 403, json: { error: 'this dashboard is read-only' } });
  }
  t.equal(await state(), before);
});

scene('what is no action is refused with 400', async (t, stage) => {
  const { ask } = await site(stage);
  const { state, before } = await target(stage);
  const { name: queue } = stage;
  const bodies: unknown[] = [
    '', 'x', '{', '[]', 'null', '1', '"pause"', '{}', { queue }, { action: 'pause' }, { action: 1, queue }, { action: ['pause'], queue },
    { action: 'constructor', queue }, { action: '__proto__', queue }, { action: 'toString', queue },
    { action: 'pause', queue: [queue] }, { action: 'pause', queue: {} }, { action: 'pause', queue: null },
    { action: 'remove', queue }, { action: 'remove', queue, id: 1 }, { action: 'remove', queue, id: '' },
    { action: 'remove', queue, id: ['one'] }, { action: 'remove', queue, id: 'x'.repeat(300) }, { action: 'remove', queue, id: 'a b' },
    { action: 'remove', queue, id: 'one', force: true }, { action: 'pause', queue, id: 'one' },
    { action: 'purge', queue }, { action: 'purge', queue, state: 'active' }, { action: 'purge', queue, state: 'all' },
    { action: 'purge', queue, state: { toString: 'queued' } },
    { action: 'retryAll', queue, fn: 1 }, { action: 'retryAll', queue, fn: 'no name' }, { action: 'retryAll', queue, error: '' },
    { action: 'retryAll', queue, error: 'x'.repeat(1_001) }, { action: 'retryAll', queue, fn: null },
    { action: 'run', queue }, { action: 'run', queue, name: '*' }, { action: 'run', queue, name: 'x\r\nFLUSHALL\r\n' },
    `{"action":"resume","queue":"${queue}","__proto__":{"polluted":true}}`,
    `{"__proto__":{"action":"resume","queue":"${queue}"}}`,
    `{"action":"resume","queue":"${queue}","constructor":{"prototype":{"polluted":true}}}`,
    `{"action":"remove","queue":"${queue}","id":"one","toString":"x"}`,
  ]; // prettier-ignore
  for (const body of bodies) {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const answer = await ask('api/action', { method: 'POST', headers: OURS, body: text });
    t.equal(answer.status, 400, text.slice(0, 80));
    t.type(answer.json.error, 'string');
    t.notMatch(answer.json.error, /unexpected|at .*\.ts/);
  }
  t.equal(({} as { polluted?: boolean }).polluted, undefined);
  t.equal(await state(), before, 'nothing has changed');
});

scene('a body that is too large is not read', async (t, stage) => {
  const { port, ask, get } = await site(stage);
  const fits = JSON.stringify({ action: 'nonsense', pad: 'x'.repeat(60_000) });
  t.equal((await ask('api/action', { method: 'POST', headers: OURS, body: fits })).status, 400);
  const head = `POST /api/action HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nX-Requested-With: minq\r\n`;
  const said = await raw(port, `${head}Content-Length: 1000000000\r\n\r\n{`);
  t.match(said, /^HTTP\/1\.1 413 /, 'by what it says it has');
  const chunk = `10001\r\n${'x'.repeat(0x10001)}\r\n`;
  const unsaid = await raw(port, `${head}Transfer-Encoding: chunked\r\n\r\n${chunk}10\r\n`);
  t.match(unsaid, /^HTTP\/1\.1 413 /, 'by what has come, long before its end');
  t.match(unsaid, /\r\nConnection: close\r\n/i);
  t.equal((await get('api/queues')).status, 200, 'the handler lives on');
});

scene('the body of a request that is refused is not read to its end', async (t, stage) => {
  const handler = handlerOn(stage, { token: TOKEN });
  let read = 0;
  const { port } = await serve(stage, (req, res) => {
    req.socket.once('close', () => (read += req.socket.bytesRead));
    void handler(req, res);
  });
  const ours = `Content-Type: application/json\r\nX-Requested-With: minq\r\n`;
  const known = `Authorization: Bearer ${TOKEN}\r\n`;
  for (const [status, what] of [
    [401, `POST /api/action HTTP/1.1\r\nHost: localhost\r\n${ours}`],
    [403, `POST /api/action HTTP/1.1\r\nHost: localhost\r\n${known}`],
    [403, `POST /api/action HTTP/1.1\r\nHost: evil.example\r\n${known}${ours}`],
    [405, `PUT /api/action HTTP/1.1\r\nHost: localhost\r\n${known}${ours}`],
    [200, `GET /api/queues HTTP/1.1\r\nHost: localhost\r\n${known}`],
  ] as const) {
    read = 0;
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {}); // it is closed while we write
    const closed = new Promise((resolve) => socket.once('close', resolve));
    let said = '';
    socket.on('data', (text) => (said += String(text)));
    socket.write(`${what}Content-Length: 100000000\r\n\r\n`);
    await until(() => said !== '');
    const more = setInterval(() => socket.write(Buffer.alloc(64 * 1024)), 1);
    await closed;
    clearInterval(more);
    t.match(said, new RegExp(`^HTTP/1.1 ${status} `), what);
    t.match(said, /\r\nConnection: close\r\n/i);
    await until(() => read > 0);
    t.ok(read < 5_000_000, `${read} bytes`);
  }
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  stage.onEnd(async () => agent.destroy());
  const sockets = new Set<unknown>();
  for (const method of ['POST', 'GET', 'POST', 'PUT']) {
    const asked = request({ port, agent, method, path: '/api/action', headers: { ...OURS, 'Content-Length': 2 } });
    asked.on('socket', (socket) => sockets.add(socket)).end('{}');
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    answer.resume();
    await once(answer, 'end');
  }
  t.equal(sockets.size, 1, 'a body that is there leaves the connection as it is');
}); // prettier-ignore

scene('a body that breaks off changes nothing and hurts nobody', async (t, stage) => {
  const { port, get } = await site(stage);
  const head = `POST /api/action HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nX-Requested-With: minq\r\n`;
  await new Promise<void>((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(`${head}Content-Length: 100\r\n\r\n{"action":`, () => {
        socket.destroy();
        resolve();
      });
    });
    socket.on('error', reject);
  });
  t.equal((await get('api/queues')).status, 200);
});

scene('no path leads out of the pages', async (t, stage) => {
  const { port, get } = await site(stage);
  const ups = [
    '../../package.json', '..%2f..%2fpackage.json', '%2e%2e/%2e%2e/package.json', '%2e%2e%2f%2e%2e%2fpackage.json',
    '..\\..\\package.json', '..%5c..%5cpackage.json', '....//....//package.json', '%252e%252e%252fpackage.json',
    '/etc/passwd', '//etc/passwd', 'file:///etc/passwd', 'main.js%00.txt', 'main.js/../../../package.json',
    '.', '..', './main.js', 'vendor/../main.js', '__proto__', 'constructor', 'toString', '..;/package.json',
    '%c0%ae%c0%ae/package.json', 'C:/Windows/win.ini', '../handler.js', 'main.js/', 'MAIN.JS',
  ]; // prettier-ignore
  for (const name of ups) {
    const { status, text } = await get(name);
    t.equal(status, 404, name);
    t.notMatch(text, /root:|"minq"|import /);
  }
  for (const path of ['api/__proto__', 'api/constructor', 'api/toString', 'api/', 'api', 'assets', 'package.json', 'assets/main.js', '/', '//', '//evil.example/', '..', 'api/queues/', 'api//queues', 'API/queues']) {
    t.match(await get(path), { status: 404, json: { error: String } }, path);
  }
  const absolute = await raw(port, 'GET http://localhost/api/queues HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
  t.match(absolute, /^HTTP\/1\.1 404 /);
  t.match(await raw(port, 'OPTIONS * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'), /^HTTP\/1\.1 40[45] /);
}); // prettier-ignore

scene('every answer carries the headers that keep a browser in', async (t, stage) => {
  const { get, ask } = await site(stage);
  const answers = [
    await get(''), await get('main.js'), await get('api/queues'), await get('nothing'), await get('', { Host: 'evil.example' }),
    await ask('api/action', { method: 'POST' }), await ask('api/action', {}), await get('api/job?queue=x&id=y'),
  ]; // prettier-ignore
  const policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
  for (const { headers, status } of answers) {
    t.match(headers, {
      'content-security-policy': policy,
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'cross-origin-resource-policy': 'same-origin',
      'cache-control': /^no-(store|cache)$/,
    });
    t.same(Object.keys(headers).filter((name) => /^(access-control-|x-powered-by|server)/.test(name)), [], String(status)); // prettier-ignore
  }
  t.equal((await get('api/queues')).headers['cache-control'], 'no-store');
});

scene('a CORS middleware in front does not open it', async (t, stage) => {
  const handler = handlerOn(stage);
  const { get } = await serve(stage, (request, response) => {
    response.setHeader('Access-Control-Allow-Origin', '*');
    response.setHeader('Access-Control-Allow-Credentials', 'true');
    void handler(request, response);
  });
  const { headers, status } = await get('api/queues', { Origin: 'https://evil.example' });
  t.equal(status, 200);
  t.same(Object.keys(headers).filter((name) => name.startsWith('access-control-')), []); // prettier-ignore
});

scene('options that would be unsafe or make no sense are refused at once, with the mend', async (t, stage) => {
  const redis = stage.redis.url;
  const refused: [object, RegExp][] = [
    [{ token: 'short' }, /^token: "\*\*\* \(5 characters\)" is not usable; give at least 16 characters$/],
    [{ token: '' }, /^token: .*0 characters/],
    [{ token: undefined }, /^token: undefined is not usable; set it, or leave the option out/],
    [{ token: 1234567890123456 }, /^token: "number" is not usable; give a text$/],
    [{ token: TOKEN, auth: () => true }, /^auth: a function is not usable; give either 'auth' or 'token', not both$/],
    [{ auth: true }, /^auth: true is not usable; give a function$/],
    [{ redact: 'args' }, /^redact: "args" is not usable; give a function$/],
    [{ readOnly: 'yes' }, /^readOnly: "yes" is not usable; give true or false$/],
    [{ allowedHosts: 'x' }, /^allowedHosts: "x" is not usable; give an array$/],
    [{ allowedHosts: ['https://x'] }, /^allowedHosts\[0\]: "https:\/\/x" is not usable; give the name a browser asks for/],
    [{ allowedHosts: ['*'] }, /^allowedHosts\[0\]: "\*" is not usable/],
    [{ allowedHosts: ['ok', ''] }, /^allowedHosts\[1\]: "" is not usable/],
    [{ queues: [] }, /^queues: an array is not usable; name at least one/],
    [{ queues: ['a b'] }, /^queues\[0\]: "a b" is not usable; give 1 to 64/],
    [{ queues: 'default' }, /^queues: "default" is not usable; give an array$/],
    [{ prefix: '{x}' }, /^prefix: "\{x\}" is not usable/],
    [{ basePath: 'minq' }, /^basePath: "minq" is not usable; give a path such as '\/minq'$/],
    [{ basePath: '//evil.example' }, /^basePath/],
    [{ basepath: '/x' }, /^basepath: unknown option; did you mean 'basePath'\?$/],
    [{ redis: 'http://x' }, /^redis: "http:\/\/x" is no Redis URL/],
  ];
  for (const [options, message] of refused) {
    t.throws(() => dashboard({ redis, ...options }), { name: 'InvalidArgumentError', message }, JSON.stringify(options));
  }
}); // prettier-ignore

scene('what redact takes out never leaves; one that fails lets nothing out', async (t, stage) => {
  const queue = stage.queue();
  stage.worker({ leak: async (secret: string) => { throw new Error(`with ${secret}`); } }); // prettier-ignore
  await (await queue.enqueue('leak', ['hunter2'], { id: 'x', retries: 1, backoff: 1, meta: { key: 'hunter2' } }))
    .result()
    .catch(() => {});
  await queue.schedule('nightly', { every: '1h', fn: 'leak', args: ['hunter2'] });
  stage.onEnd(() => queue.unschedule('nightly'));
  const paths = [
    `api/jobs?queue=${stage.name}&state=failed`,
    `api/jobs?queue=${stage.name}&state=failed&error=hunter2`,
    `api/job?queue=${stage.name}&id=x`,
    'api/cron', 'api/workers', 'api/queues', `api/queue?queue=${stage.name}`,
  ]; // prettier-ignore
  const plain = await site(stage);
  t.match((await plain.get(paths[0]!)).text, 'hunter2', 'it would be there');
  t.match((await plain.get(paths[2]!)).json.attempts, [{ error: { message: { text: 'with hunter2' } } }], 'and there');
  t.match((await plain.get('api/cron')).text, 'hunter2', 'and there');
  const hide = await site(stage, {
    redact: ({ id, queue, state, fn, attempt, priority, enqueuedAt }) =>
 ({ id, queue, state, fn, attempt, priority, enqueuedAt, args: ['***'], meta: {} }),
  });
  const hooks = [
    () => { throw new Error('hunter2'); }, () => undefined, () => null, () => 'hunter2', () => ({}),
    async (job: object) => job, (job: object) => ({ ...job, args: 'hunter2' }), (job: object) => ({ ...job, meta: null }),
    (job: object) => ({ ...job, args: [1n] }), (job: object) => ({ ...job, error: 'hunter2' }), (job: object) => ({ ...job, error: { name: 'hunter2' } }),
    (job: object) => ({ ...job, meta: { key: { deep: 'hunter2' } } }), (job: object) => ({ ...job, meta: ['hunter2'] }),
    (job: object) => ({ ...job, attempts: 'hunter2' }), (job: object) => ({ ...job, attempts: [{ error: 'hunter2' }] }), (job: object) => ({ ...job, id: 5 }),
  ]; // prettier-ignore
  const failing = await Promise.all(hooks.map((redact) => site(stage, { redact: redact as never })));
  for (const { get } of [hide, ...failing]) {
    for (const path of paths) {
      const { status, text } = await get(path);
      t.equal(status, 200, path);
      t.notMatch(text, 'hunter2');
    }
  }
  t.match((await hide.get(paths[2]!)).json.job, { fn: 'leak', args: { text: '[\n  "***"\n]' }, state: 'failed' });
  t.match((await failing[0]!.get(paths[2]!)).json, { job: { id: 'x', fn: 'leak', args: { text: /withheld/ } }, attempts: [] });
}); // prettier-ignore

scene('a stranger can not make connections or keys by asking for queues', async (t, stage) => {
  const { get, act } = await site(stage);
  const keys = await stage.redis.client.keys('*');
  const clients = async () => String(await stage.redis.client.client('LIST')).split('name=minq:dashboard').length - 1;
  await get('api/queues');
  const before = await clients();
  for (const name of ['other', 'default', '__proto__', '', '*', '{x}', 'a'.repeat(2_000), '%00']) {
    for (const path of ['api/queue?', 'api/jobs?state=failed&', 'api/job?id=x&']) {
      t.match((await get(`${path}queue=${name}`)).status, /^40[04]$/, `${path} ${name.slice(0, 20)}`);
    }
    t.match((await act({ action: 'pause', queue: name })).status, /^40[04]$/);
  }
  t.same(await stage.redis.client.keys('*'), keys);
  t.equal(await clients(), before);
}); // prettier-ignore

scene('the dashboard has one connection, however many queues it shows', async (t, stage) => {
  const { client } = stage.redis;
  await client.del('minq:queues');
  const names = Array.from({ length: 60 }, (_, i) => `shop-${i}`);
  for (const name of names) await client.zadd('minq:queues', Date.now(), name);
  const { get } = await site(stage, { queues: undefined as never });
  t.equal((await get('api/queues')).json.queues.length, names.length + 1);
  for (const name of names) t.equal((await get(`api/queue?queue=${name}`)).status, 200);
  const mine = String(await client.client('LIST')).split('name=minq:').slice(1).map((line) => line.split(' ')[0]);
  t.same(mine, ['dashboard']);
}); // prettier-ignore

scene('what is no name among the names of queues is passed over, and reported', async (t, stage) => {
  const { client } = stage.redis;
  await client.del('minq:queues');
  const queue = stage.queue();
  await queue.enqueue('work');
  await until(async () => (await queue.queues()).includes(stage.name));
  for (const name of ['{x}', '', 'two words', 'x'.repeat(100_000)]) await client.zadd('minq:queues', Date.now(), name);
  const { get } = await site(stage, { queues: undefined as never });
  for (const path of ['queues', 'workers', 'cron', 'findings', `queue?queue=${stage.name}`]) {
    t.equal((await get(`api/${path}`)).status, 200, path);
  }
  t.same(new Set((await get('api/queues')).json.queues.map(({ name }: { name: string }) => name)), new Set(['default', stage.name]));
  const names = async () => (await get('api/findings')).json.findings.filter(({ check }: { check: string }) => check === 'names');
  t.match(await names(), [{ ok: false, message: /^minq:queues holds 4 that can be no name of a queue/ }]);
  t.same(await queue.queues(), [stage.name]);

  await client.del('minq:queues');
  await client.set('minq:queues', 'somebody else was here');
  for (const path of ['queues', 'workers', 'cron', 'findings']) t.equal((await get(`api/${path}`)).status, 200, path);
  t.match(await names(), [{ ok: false, message: /^minq:queues is no list of queues/, mend: /redis-cli DEL minq:queues/ }]);
  t.same(await queue.queues(), []);
  await client.del('minq:queues');
}); // prettier-ignore

scene('what redact gives is read once', async (t, stage) => {
  await stage.queue().enqueue('work', [], { id: 'one', delay: '1h' });
  const changing = () => {
    let times = 0;
    return { toJSON: () => (times++ === 0 ? '***' : 'hunter2') };
  };
  const { get } = await site(stage, { redact: (job) => ({ ...job, args: [changing()] }) });
  const { status, text } = await get(`api/job?queue=${stage.name}&id=one`);
  t.equal(status, 200);
  t.match(text, '***');
  t.notMatch(text, 'hunter2');
}); // prettier-ignore

void t.test('of an error that nobody foresaw only the kind is told', async (t) => {
  const server = createServer((_, response) => sendError(response, new TypeError('at /home/secret')));
  t.teardown(() => server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  t.match({ status: answer.status, text: await answer.text() }, { status: 500, text: '{"error":"unexpected TypeError"}' });
}); // prettier-ignore

scene('neither the password of Redis nor a stack gets out', async (t, stage) => {
  const secret = 'hunter2-password';
  await stage.redis.client.config('SET', 'requirepass', secret);
  stage.onEnd(() => stage.redis.client.config('SET', 'requirepass', ''));
  for (const password of ['wrong-hunter2', secret]) {
    const { get } = await site(stage, { redis: `redis://:${password}@127.0.0.1:${stage.redis.port}` });
    for (const path of ['api/queues', 'api/workers', `api/job?queue=${stage.name}&id=x`, `api/jobs?queue=${stage.name}&state=x`]) {
      const { status, text } = await get(path);
      if (path === 'api/queues') t.equal(status, password === secret ? 200 : 503);
      t.notMatch(text, /hunter2|\.ts:\d|\.js:\d|node_modules/, `${status} ${path}`);
    }
  }
}); // prettier-ignore

/** Sends bytes, and reads until the other side ends. */
function raw(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let got = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    socket.setEncoding('utf8');
    socket.on('data', (more: string) => (got += more));
    socket.on('error', (error) => (got ? resolve(got) : reject(error)));
    socket.on('close', () => resolve(got));
  });
}
