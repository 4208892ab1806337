/** Express: a request that asks for a report is answered at once, with where to ask for it. */
import express, { type ErrorRequestHandler } from 'express';
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
const pages = dashboard({ token: process.env['ADMIN_TOKEN'] ?? '' });

const app = express();
app.use('/admin/minq', pages); // before parsers of bodies
app.use(express.json());

app.post('/reports', async (request, response) => {
  const { month } = request.body as { month?: unknown };
  if (!isMonth(month))
    return void response.status(400).json({ error: 'month: give one, e.g. 2026-11' });
  const { id } = await queue.enqueue('makeReport', [month]);
  response.status(202).location(`/reports/${id}`).json({ id });
});

app.get('/reports/:id', async (request, response) => {
  const { state, progress, result } = await queue.job(request.params.id).info();
  response.json({ status: STATUS[state], progress, result });
});

const onError: ErrorRequestHandler = (error: Error, _request, response, next) => {
  if (response.headersSent) return next(error);
  if (error instanceof ResultNotFoundError) response.status(404).json({ error: 'no such report' });
  else if (error instanceof RedisUnavailableError)
    response.status(503).set('Retry-After', '5').json({ error: 'try again' });
  else next(error);
};
app.use(onError);

const server = app.listen(Number(process.env['PORT']), '127.0.0.1');
process.once('SIGTERM', () => {
  server.close(() => void Promise.all([queue.close(), pages.close()]));
});
