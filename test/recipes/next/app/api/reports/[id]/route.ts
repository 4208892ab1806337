import { ResultNotFoundError } from 'minq';
import { queue } from '../../../../queue';

const STATUS = {
  queued: 'pending',
  scheduled: 'pending',
  waiting: 'pending',
  active: 'in progress',
  completed: 'done',
  failed: 'failed',
  cancelled: 'failed',
};

export async function GET(_request: Request, { params }: { params: Promise<{ id: string }> }) {
  try {
    const { state, progress, result } = await queue.job((await params).id).info();
    return Response.json({ status: STATUS[state], progress, result });
  } catch (error) {
    if (error instanceof ResultNotFoundError)
      return Response.json({ error: 'no such report' }, { status: 404 });
    throw error;
  }
}
