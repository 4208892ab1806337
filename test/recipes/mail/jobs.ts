/** Mail off the request: a mail server that is away for a while delays a mail, and loses none. */
import { createTransport } from 'nodemailer';
import { currentJob, currentQueue, Fail, job } from 'minq';

const transport = createTransport(process.env['SMTP_URL']);

/** A server says with 4xx that it may work later, with 5xx that it never will. */
export const sendMail = job(
  { retries: 8, backoff: { type: 'exponential', delay: '200ms', max: '1h' }, timeout: '30s' },
  async (to: string, subject: string, text: string) => {
    // A run that was cut off may have sent it: servers and readers know by this id that it is the same.
    const messageId = `<${currentJob().id}@example.com>`;
    try {
      await transport.sendMail({ from: 'shop@example.com', to, subject, text, messageId });
    } catch (error) {
      const { responseCode = 0 } = error as { responseCode?: number };
      if (responseCode >= 500) throw new Fail('the address is refused', { cause: error });
      throw error;
    }
  },
);

/** Each night at two, in one run for all workers. The id follows from the tick: whatever is run twice sends one mail. */
export const nightlyDigest = job(
  { cron: '0 2 * * *', timezone: 'Europe/Berlin' },
  async (): Promise<string> => {
    const queue = currentQueue<typeof import('./jobs.ts')>();
    const { completed, failed } = await queue.stats();
    const day = currentJob().tick!.toISOString().slice(0, 10);
    const text = `${completed} jobs done, ${failed} failed, as of ${day}`;
    const mail = await queue.enqueue('sendMail', ['admin@example.com', `Digest of ${day}`, text], {
      id: `digest:${day}`,
      unique: 'kept',
    });
    return mail.id;
  },
);
