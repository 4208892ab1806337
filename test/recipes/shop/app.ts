/** Takes orders: answers at once, with where to ask. */
import { createServer, type IncomingMessage } from 'node:http';
import { randomUUID } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { chain, group, Queue, ResultNotFoundError, step } from 'minq';
import type { Order } from './jobs.ts';

const queue = new Queue<typeof import('./jobs.ts')>();

async function placeOrder(request: IncomingMessage) {
  const order = JSON.parse(await text(request)) as Order;
  const meta = { trace: String(request.headers['x-trace'] ?? randomUUID()), order: order.id };
  const flow = chain(
    step('charge', [order], { meta }),
    group([step('printLabel', [], { meta }), step('sendReceipt', [], { meta })]),
    step('complete', [], { meta }),
  );
  const { id } = await queue.enqueue(flow);
  return { status: 202, body: { id } };
}

async function statusOf(id: string) {
  const job = queue.job(id);
  const [{ state, result, error }, flow] = await Promise.all([job.info(), job.flow()]);
  return { status: 200, body: { state, result, error: error?.message, steps: flow?.steps.length } };
}

const server = createServer((request, response) => {
  const answer =
    request.method === 'POST' ? placeOrder(request) : statusOf(request.url!.split('/').at(-1)!);
  void answer
    .catch((error: Error) => ({
      status: error instanceof ResultNotFoundError ? 404 : 500,
      body: { error: error.message },
    }))
    .then(({ status, body }) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body)),
    );
});
server.listen(Number(process.env['PORT']), '127.0.0.1');
process.once('SIGTERM', () => server.close(() => void queue.close()));
