/** Hono on Node: a request that asks for a report is answered at once, with where to ask for it. */
import { serve, type HttpBindings } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { Hono } from 'hono';
import { Queue, RedisUnavailableError, ResultNotFoundError } from 'minq';
import { dashboard } from 'minq/dashboard';

const isMonth = (value: unknown): value is string =>
  typeof value === 'string' && /^\d{4}-\d\d$/.test(value);

const STATUS = {
  queued: 'pending',
  scheduled: 'pending',
  waiting: 'pending',
  active: 'in progress',
  completed: 'done',
  failed: 'failed',
  cancelled: 'failed',
};

const queue = new Queue<typeof import('./jobs.ts')>();
const pages = dashboard({ basePath: '/admin/minq', token: process.env['ADMIN_TOKEN'] ?? '' });

const app = new Hono<{ Bindings: HttpBindings }>();

app.post('/reports', async (c) => {
  const { month } = await c.req.json<{ month?: unknown }>();
  if (!isMonth(month)) return c.json({ error: 'month: give one, e.g. 2026-11' }, 400);
  const { id } = await queue.enqueue('makeReport', [month]);
  return c.json({ id }, 202, { location: `/reports/${id}` });
});

app.get('/reports/:id', async (c) => {
  const { state, progress, result } = await queue.job(c.req.param('id')).info();
  return c.json({ status: STATUS[state], progress, result } as Record<string, unknown>);
});

app.all('/admin/minq/*', async (c) => {
  await pages(c.env.incoming, c.env.outgoing);
  return RESPONSE_ALREADY_SENT;
});

app.onError((error, c) => {
  if (error instanceof ResultNotFoundError) return c.json({ error: 'no such report' }, 404);
  if (error instanceof RedisUnavailableError)
    return c.json({ error: 'try again' }, 503, { 'retry-after': '5' });
  throw error;
});

const server = serve({
  fetch: app.fetch,
  port: Number(process.env['PORT']),
  hostname: '127.0.0.1',
});
process.once('SIGTERM', () => {
  server.close(() => void Promise.all([queue.close(), pages.close()]));
});
