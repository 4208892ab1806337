/** Who signs up hears at once that it is done; the mail goes its own way. */
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { Queue } from 'minq';

const queue = new Queue<typeof import('./jobs.ts')>();

const server = createServer((request, response) => {
  const signUp = async () => {
    const { email } = JSON.parse(await text(request)) as { email: string };
    // The same person twice, by a double click, gets one mail.
    const { id } = await queue.enqueue('sendMail', [email, 'Welcome', 'Good to have you.'], {
      id: `welcome:${email}`,
      unique: 'kept',
    });
    response.writeHead(202, { 'content-type': 'application/json' }).end(JSON.stringify({ id }));
  };
  signUp().catch((error: Error) => response.writeHead(500).end(error.message));
});
server.listen(Number(process.env['PORT']), '127.0.0.1');
process.once('SIGTERM', () => server.close(() => void queue.close()));
