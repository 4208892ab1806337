/** Next: a request that asks for a report is answered at once, with where to ask for it. */
import { RedisUnavailableError } from 'minq';
import { queue } from '../../../queue';

const isMonth = (value: unknown): value is string =>
  typeof value === 'string' && /^\d{4}-\d\d$/.test(value);

export async function POST(request: Request) {
  const { month } = (await request.json()) as { month?: unknown };
  if (!isMonth(month))
    return Response.json({ error: 'month: give one, e.g. 2026-11' }, { status: 400 });
  try {
    const { id } = await queue.enqueue('makeReport', [month]);
    return Response.json({ id }, { status: 202, headers: { location: `/api/reports/${id}` } });
  } catch (error) {
    if (error instanceof RedisUnavailableError)
      return Response.json({ error: 'try again' }, { status: 503 });
    throw error;
  }
}
