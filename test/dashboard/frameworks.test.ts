/** The handler mounted in each framework as its users would, under a path of its own, beside routes of theirs. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { createAdaptorServer, type HttpBindings } from '@hono/node-server';
import express from 'express';
import fastify from 'fastify';
import { Hono } from 'hono';
import type { Test } from 'tap';
import { scene, type Stage } from '../helpers/setup.ts';
import { handlerOn, OURS, siteAt, stop } from '../helpers/site.ts';

const BASE = '/admin/minq';

async function listening(stage: Stage, server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stage.onEnd(() => stop(server));
  return (server.address() as AddressInfo).port;
}

/** Page, asset, reads, an action, refusals; and the framework's own route still answers. */
async function works(t: Test, stage: Stage, port: number): Promise<void> {
  const { get, ask, act } = siteAt(port, '127.0.0.1', BASE);
  const page = await get('');
  t.match(page, { status: 200, text: /^<!doctype html>/i });
  t.match(page.headers, { 'content-security-policy': /^default-src 'none'/ });
  for (const [, name] of page.text.matchAll(/(?:src|href)="(\w[^"]+)"/g)) {
    if (name!.startsWith('data:')) continue;
    t.equal((await get(name!)).status, 200, name!);
  }
  t.match(await get('vendor/preact.js'), { status: 200, headers: { 'content-type': /javascript/ } });
  t.match(await get('api/queues'), { status: 200, json: { queues: [{ name: stage.name }] } });
  t.match(await get(`api/queue?queue=${stage.name}&span=day`), { status: 200, json: { name: stage.name } });
  t.match(await ask('api/queues', { method: 'HEAD' }), { status: 200, text: '' });
  const bare = await siteAt(port, '127.0.0.1', '/admin').get('minq?x=1');
  t.match(bare, { status: 302, headers: { location: './minq/?x=1' } });
  t.match(await get('nothing'), { status: 404, json: { error: 'there is nothing here' } });
  t.match(await get('api/queues', { Host: 'evil.example' }), { status: 403 });

  const queue = stage.queue();
  t.match(await act({ action: 'pause', queue: stage.name }), { status: 200, json: { done: true } });
  t.ok((await queue.counts()).paused);
  t.match(await act({ action: 'nonsense' }), { status: 400 });
  const action = JSON.stringify({ action: 'resume', queue: stage.name });
  const post = { method: 'POST', body: action };
  t.equal((await ask('api/action', { ...post, headers: { ...OURS, 'Content-Type': 'text/plain' } })).status, 403);
  t.equal((await ask('api/action', { ...post, headers: { 'Content-Type': 'application/x-www-form-urlencoded' } })).status, 403);
  t.equal((await ask('api/action', { ...post, headers: { ...OURS, Origin: 'https://evil.example' } })).status, 403);
  t.match(await ask('api/action', { method: 'PUT' }), { status: 405, headers: { allow: 'POST' } });
  t.ok((await queue.counts()).paused, 'none of these did anything');

  const own = siteAt(port, '127.0.0.1', '');
  t.match(await own.get('hello'), { status: 200, text: 'hello' });
  t.notMatch((await own.get('admin/minqx')).text, 'there is nothing here', 'a path that merely begins alike is theirs');
} // prettier-ignore

scene('node:http', async (t, stage) => {
  const handler = handlerOn(stage, { basePath: BASE });
  const server = createServer((request, response) => {
    if (request.url === BASE || /^\/admin\/minq[/?]/.test(request.url!)) {
      return void handler(request, response);
    }
    response.end(request.url === '/hello' ? 'hello' : 'not ours');
  });
  await works(t, stage, await listening(stage, server));
});

scene('node:http, with the handler as the whole server', async (t, stage) => {
  const port = await listening(stage, createServer(handlerOn(stage)));
  const { get, act } = siteAt(port);
  t.equal((await get('')).status, 200);
  t.equal((await get('api/queues')).status, 200);
  t.equal((await act({ action: 'pause', queue: stage.name })).status, 200);
});

scene('Express', async (t, stage) => {
  const app = express();
  app.get('/hello', (_, response) => void response.send('hello'));
  app.use(BASE, handlerOn(stage));
  await works(t, stage, await listening(stage, createServer(app)));
});

scene('Express, behind parsers of bodies, in a router of a router', async (t, stage) => {
  const app = express();
  app.use(express.json(), express.urlencoded({ extended: true }), express.text());
  app.get('/hello', (_, response) => void response.send('hello'));
  const admin = express.Router();
  admin.use('/minq', handlerOn(stage));
  app.use('/admin', admin);
  await works(t, stage, await listening(stage, createServer(app)));
});

scene('Fastify', async (t, stage) => {
  const handler = handlerOn(stage, { basePath: BASE });
  const app = fastify();
  stage.onEnd(() => app.close());
  app.get('/hello', () => 'hello');
  await app.register((scope, _, done) => {
    // Before Fastify reads the body: the handler does that itself.
    scope.addHook('onRequest', (request, reply) => {
      reply.hijack();
      return handler(request.raw, reply.raw);
    });
    scope.all(BASE, () => {});
    scope.all(`${BASE}/*`, () => {});
    done();
  });
  await app.listen({ port: 0, host: '127.0.0.1' });
  await works(t, stage, (app.server.address() as AddressInfo).port);
});

scene('Hono', async (t, stage) => {
  const handler = handlerOn(stage, { basePath: BASE });
  const app = new Hono<{ Bindings: HttpBindings }>();
  app.get('/hello', (c) => c.text('hello'));
  app.all(`${BASE}/*`, async (c) => {
    await handler(c.env.incoming, c.env.outgoing);
    return RESPONSE_ALREADY_SENT;
  });
  await works(t, stage, await listening(stage, createAdaptorServer(app) as Server));
});
