/** The Redis that `minq dev` and the demo start where none is running. */
import { chmodSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { Redis } from 'ioredis';
import t from 'tap';
import { answers, startLocalRedis } from '../../src/cli/local-redis.ts';
import { until } from '../helpers/until.ts';

const PATH = process.env['PATH'];
t.afterEach(() => {
  process.env['PATH'] = PATH;
});

/** A PATH on which only this redis-server is found; without a text, none at all. */
function onlyRedis(folder: string, script?: string): void {
  process.env['PATH'] = folder;
  if (script === undefined) return;
  writeFileSync(path.join(folder, 'redis-server'), `#!/bin/sh\n${script}\n`);
  chmodSync(path.join(folder, 'redis-server'), 0o755);
}

/** Whether the port is open on an address of this machine other than 127.0.0.1. */
const answersElsewhere = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = connect({ port, host: '127.0.0.2', timeout: 2_000 });
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
    socket.once('timeout', () => end(false));
  });

for (const what of ['redis-server', 'js-redis-server']) {
  void t.test(`${what}: answers on the loopback address alone, until it is stopped`, async (t) => {
    if (what === 'js-redis-server') onlyRedis(t.testdir());
    const local = await startLocalRedis();
    t.teardown(() => local.stop());
    t.match(local.what, new RegExp(`^${what}`));
    const client = new Redis(local.url, { protocol: 2 });
    t.equal(await client.ping(), 'PONG');
    client.disconnect();
    const port = Number(new URL(local.url).port);
    t.equal(await answersElsewhere(port), false);
    local.stop();
    await until(async () => !(await answers(port)));
  });
}

void t.test('a redis-server that ends at once is an error that says so', async (t) => {
  onlyRedis(t.testdir(), 'exit 3');
  await t.rejects(startLocalRedis(), {
    code: 'NO_REDIS',
    message: "redis-server can't be started: it ended with exit code 3",
  });
});
