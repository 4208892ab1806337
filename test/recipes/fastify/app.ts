/** Fastify: a request that asks for a report is answered at once, with where to ask for it. */
import fastify from 'fastify';
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

const app = fastify();
app.addHook('onClose', async () => {
  await Promise.all([queue.close(), pages.close()]);
});

app.post<{ Body: { month?: unknown } }>('/reports', async (request, reply) => {
  const { month } = request.body;
  if (!isMonth(month)) return reply.code(400).send({ error: 'month: give one, e.g. 2026-11' });
  const { id } = await queue.enqueue('makeReport', [month]);
  return reply.code(202).header('location', `/reports/${id}`).send({ id });
});

app.get<{ Params: { id: string } }>('/reports/:id', async (request) => {
  const { state, progress, result } = await queue.job(request.params.id).info();
  return { status: STATUS[state], progress, result };
});

app.setErrorHandler((error, _request, reply) => {
  if (error instanceof ResultNotFoundError)
    return reply.code(404).send({ error: 'no such report' });
  if (error instanceof RedisUnavailableError)
    return reply.code(503).header('retry-after', '5').send({ error: 'try again' });
  return reply.send(error);
});

await app.register(async (scope) => {
  // Before Fastify reads the body: the dashboard does that itself.
  scope.addHook('onRequest', (request, reply) => {
    reply.hijack();
    return pages(request.raw, reply.raw);
  });
  scope.all('/admin/minq', () => {});
  scope.all('/admin/minq/*', () => {});
});

await app.listen({ port: Number(process.env['PORT']), host: '127.0.0.1' });
process.once('SIGTERM', () => void app.close());
