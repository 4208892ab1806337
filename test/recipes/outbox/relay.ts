/** Brings what is in the outbox to the queue, in order; any number of these may run. */
import Database from 'libsql';
import { Queue } from 'minq';

interface Row {
  id: number;
  fn: 'shipOrder';
  args: string;
}

const db = new Database(process.env['DATABASE']!);
db.exec('PRAGMA busy_timeout = 5000');
const queue = new Queue<typeof import('./jobs.ts')>();
const oldest = db.prepare('SELECT id, fn, args FROM outbox ORDER BY id LIMIT 100');
const brought = db.prepare('DELETE FROM outbox WHERE id = ?');

let stopping = false;
process.once('SIGTERM', () => (stopping = true));
while (!stopping) {
  const rows = oldest.all() as Row[];
  const outcomes = await queue.enqueueMany(
    rows.map(({ id, fn, args }) => ({
      fn,
      args: JSON.parse(args) as [number],
      id: `outbox:${id}`,
      unique: 'kept' as const,
      resultTtl: '7d',
    })),
  );
  // What Redis didn't take stays, and comes again.
  for (const [i, { status }] of outcomes.entries())
    if (status === 'fulfilled') brought.run(rows[i]!.id);
  if (rows.length < 100) await new Promise((resolve) => setTimeout(resolve, 20));
}
await queue.close();
