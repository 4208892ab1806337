/** The queues of a history in the model, and what those who use them know: they may know less than is true. */
import type { NewJob } from '../../../src/job/record.ts';
import type { Counted, Settlement } from '../../../src/store/settlement.ts';
import type { Firing } from '../../../src/store/cron.ts';
import type { FlowPlan } from '../../../src/flow/plan.ts';
import type { DueTick } from './cron.ts';
import type { ModelFlow } from './flows.ts';
import type { QueueName, WorkerName } from './operations.ts';
import { ModelQueue } from './queue.ts';

/** 13 digits, as for the next 260 years. */
export const BEGIN = 1_700_000_000_000;

export interface SentTurn {
  number: number;
  want: number;
  named: string[];
  settlements: Settlement[];
}

/** Turns are numbered in each. */
export interface ModelTrack {
  number: number;
  last?: SentTurn;
  older?: SentTurn | undefined;
}

const tracks = (): [ModelTrack, ModelTrack] => [{ number: 0 }, { number: 0 }];

export interface ModelWorker {
  readonly name: WorkerName;
  /** Of the process: a worker that crashed comes back under another. */
  id: string;
  readonly queue: QueueName;
  tracks: [ModelTrack, ModelTrack];
  /** When its last turn claimed, by the server's clock. */
  claimedAt: number;
  /** Tickets it believes to hold, and those it settled. */
  held: string[];
  past: string[];
  counted: Counted;
  /** What it saw when it beat, and what it fired then. */
  due: DueTick[];
  fired: Firing[] | undefined;
  /** The process before it, which stopped in order. */
  left: { id: string; counted: Counted } | undefined;
}

export interface SentFlow {
  readonly flow: ModelFlow;
  readonly plan: FlowPlan;
  readonly title: string;
}

export class World {
  readonly clock = { now: BEGIN };
  readonly queues = { q: new ModelQueue('q', this.clock), r: new ModelQueue('r', this.clock) };
  readonly workers = new Map<WorkerName, ModelWorker>();
  /** Calls of enqueue, and flows, that may be sent again. */
  readonly calls: { queue: QueueName; jobs: NewJob[] }[] = [];
  readonly flows: SentFlow[] = [];
  /** Every id there ever was, with its queue. */
  readonly ids: { queue: QueueName; id: string }[] = [];
  /** What all flows may cost, so that one call can do whatever there is to do. */
  flowBudget = 199;
  #numbers = 0;

  /** 1, 2, 3, ... */
  number(): number {
    return ++this.#numbers;
  }

  worker(name: WorkerName): ModelWorker {
    let worker = this.workers.get(name);
    if (!worker) {
      worker = {
        name, id: name, queue: name === 'x' ? 'r' : 'q', tracks: tracks(), held: [], past: [],
        claimedAt: 0, counted: { number: 0, pairs: [] }, due: [], fired: undefined, left: undefined,
      }; // prettier-ignore
      this.workers.set(name, worker);
    }
    return worker;
  }

  /** It has left, or crashed: another process begins under another id. */
  startAnew(worker: ModelWorker): void {
    Object.assign(worker, {
      id: `${worker.name}${this.number()}`, tracks: tracks(), held: [], past: [],
      claimedAt: 0, counted: { number: 0, pairs: [] }, due: [], fired: undefined,
    }); // prettier-ignore
  }

  remember(queue: QueueName, id: string): void {
    if (!this.ids.some((each) => each.id === id && each.queue === queue))
      this.ids.push({ queue, id });
  }
}
