/** minq and a Redis with a certificate that nobody else has signed. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import t from 'tap';
import { Queue, Worker } from '../../src/index.ts';
import { JOBS, minq } from '../helpers/cli.ts';
import { makeCertificate, startTlsRedis } from '../helpers/tls.ts';
import { until } from '../helpers/until.ts';

t.setTimeout(60_000);

const server = await startTlsRedis();
t.teardown(() => server.stop());
const folder = mkdtempSync(path.join(tmpdir(), 'minq-other-ca-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
const other = makeCertificate(folder, 'other').certificate;
const trusting = (file: string) => ({
  host: '127.0.0.1',
  port: server.tlsPort,
  tls: { ca: readFileSync(file) },
});

void t.test('the right CA: queue, results and worker', async (t) => {
  const redis = trusting(server.certificate);
  const queue = new Queue('tls', { redis });
  const worker = new Worker({ add: (a: number, b: number) => a + b }, { queue: 'tls', redis });
  const running = worker.run();
  const job = await queue.enqueue('add', [1, 2]);
  t.equal(await job.result({ timeout: '10s' }), 3);
  const clients = String(await server.redis.client.client('LIST'));
  t.match(clients, /minq:queue/);
  await queue.close();
  await worker.stop();
  await running;
});

void t.test('the command line: rediss:// with NODE_EXTRA_CA_CERTS', async (t) => {
  const options = { redis: server.url, env: { NODE_EXTRA_CA_CERTS: server.certificate } };
  const worker = minq(t, ['worker', JOBS], options);
  await worker.says(/worker started/);
  const added = await minq(t, ['enqueue', 'add', '[2,3]', '--wait'], options).ended;
  t.match(added, { code: 0, stdout: /5/ });
  t.equal((await worker.end()).code, 0);
});

/** How a call ends, and what a worker says of it. */
async function refusal(redis: string | object): Promise<{ call: string; worker: string[] }> {
  const said: string[] = [];
  const say = (line: string) => void said.push(line);
  const logger = { debug() {}, info: say, warn: say, error: say };
  const worker = new Worker({ nothing() {} }, { redis, logger, callTimeout: 500 });
  const running = worker.run();
  const queue = new Queue('tls', { redis, callTimeout: 500 });
  const call = await queue.counts().then(
    () => 'it was let in',
    (error: Error) => error.message,
  );
  await until(() => said.some((line) => line.startsWith('waiting for Redis')));
  await Promise.all([queue.close(), worker.stop()]);
  await running;
  return { call, worker: said };
}

for (const [what, redis, cause] of [
  ['a CA that did not sign it', trusting(other), /: connection: self-signed certificate$/],
  ['no CA', server.url, /: connection: self-signed certificate$/],
  [
    'no TLS, where it is wanted',
    `redis://127.0.0.1:${server.tlsPort}`,
    /: connection: it was closed before Redis answered; where it wants TLS, give rediss:\/\/$/,
  ],
  [
    'TLS, where none is spoken',
    `rediss://127.0.0.1:${server.redis.port}`,
    /: nothing answers; where it speaks no TLS, give redis:\/\/$/,
  ],
  [
    'a cluster, of which nothing more is known than that no node was reached',
    `rediss+cluster://127.0.0.1:${server.tlsPort}`,
    /: connection: self-signed certificate$/,
  ],
] as const) {
  void t.test(`${what}: the cause, in a line`, async (t) => {
    const { call, worker } = await refusal(redis);
    t.match(call, /^no connection to Redis within 500 ms: /);
    t.match(call, cause);
    t.ok(
      worker.some((line) => cause.test(line)),
      worker.join('\n'),
    );
    t.equal(new Set(worker).size, worker.length, 'nothing is said twice');
  });
}

void t.test('the command line says it in one line too', async (t) => {
  const { code, stderr } = await minq(t, ['stats'], { redis: server.url }).ended;
  t.equal(code, 1);
  t.match(stderr, /^minq: no connection to Redis within \d+ ms: connection: self-signed certificate\n$/); // prettier-ignore
});
