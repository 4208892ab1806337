/** From what was drawn to the calls it stands for, in the world as it is by then; none where there is nothing to do. */
import * as acting from './acting.ts';
import type { Move } from './move.ts';
import type { Operation } from './operations.ts';
import * as producing from './producing.ts';
import * as ticking from './ticking.ts';
import type { World } from './world.ts';
import * as working from './working.ts';

/** Carries the operation out in the model, and says how to carry it out for real. */
export function movesOf(world: World, op: Operation): Move[] {
  const moves = movesFor(world, op);
  return Array.isArray(moves) ? moves : moves ? [moves] : [];
}

function movesFor(world: World, op: Operation): Move | Move[] | undefined {
  switch (op.do) {
    case 'enqueue':
      return producing.enqueueMove(world, op.queue, op.jobs);
    case 'enqueue again':
      return producing.enqueueAgainMove(world, op.pick);
    case 'enqueue flow':
      return producing.enqueueFlowMoves(world, op.shape);
    case 'enqueue flow again':
      return producing.enqueueFlowAgainMoves(world, op.pick);
    case 'turn':
      return working.newTurnMove(world, op);
    case 'turn again':
      return working.turnAgainMove(world, op);
    case 'old turn':
      return working.oldTurnMove(world, op.worker, op.track);
    case 'heartbeat':
      return working.heartbeatMove(world, op.worker, op.again);
    case 'leave':
      return working.leaveMove(world, op.worker, op.again);
    case 'crash':
      world.startAnew(world.worker(op.worker)); // a process that is gone sends nothing
      return undefined;
    case 'wait':
      return working.waitMove(world, op.worker);
    case 'begun':
      return working.begunMove(world, op.worker, op.pick);
    case 'progress':
      return working.progressMove(world, op.worker, op.pick);
    case 'cancel':
    case 'remove':
    case 'look':
      return acting.jobMove(world, op.do, op.pick);
    case 'retry':
    case 'watch':
      return acting.jobsMove(world, op.do, op.picks);
    case 'reschedule':
      return acting.rescheduleMove(world, op.pick, op.inMs);
    case 'cancel flow':
      return acting.cancelFlowMoves(world, op.pick);
    case 'spoil':
      return acting.spoilMove(world, op.pick, op.text);
    case 'purge':
      return acting.purgeMove(world, op.queue, op.state);
    case 'pause':
    case 'resume':
    case 'prune':
      return acting.queueMove(world, op.do, op.queue);
    case 'limit':
      return acting.limitMove(world, op.queue, op.concurrency, op.count);
    case 'deliver':
      return acting.deliverMoves(world, op.queue, op.pick);
    case 'delivered':
      return acting.deliveredMove(world, op.queue, op.pick);
    case 'schedule':
      return ticking.scheduleMove(world, op);
    case 'unschedule':
      return ticking.unscheduleMove(world, op.name);
    case 'beat':
      return ticking.beatMove(world, op.worker, op.again, op.all);
    case 'release beat':
      return ticking.releaseBeatMove(world, op.worker);
    case 'pass':
      return acting.passMove(world, op.ms);
  }
}
