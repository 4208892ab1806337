/** What the pages ask of the server, and what it answers: JSON over `api/...`. */
import type { FunctionTimes, HistoryPoint, Percentiles, Stats } from '../views/statistics.ts';
import type { FailureGroup } from '../views/failures.ts';
import type { QueueFinding } from '../views/findings.ts';
import type { Counts, JobInfo, PastAttempt, WorkerInfo } from '../views/inspector.ts';
import type { FlowOutline } from '../flow/outline.ts';
import type { ScheduleInfo } from '../cron/schedules.ts';
import type { FinalState, JobState } from '../job/job.ts';

/** `GET api/queues`: all of them, at a glance. */
export interface QueuesReply {
  version: string;
  /** No action is allowed. */
  readOnly: boolean;
  queues: QueueSummary[];
}

export interface QueueSummary {
  name: string;
  counts: Counts;
  /** How long the job at the head of the queue has waited, in ms. */
  oldestWaitingMs?: number;
  /** Alive. */
  workers: number;
  slots: number;
  busy: number;
  /** Counters since the queue exists: the pages make live rates of their differences. */
  stats: Stats;
}

/** `GET api/queue?queue=&span=hour|day` */
export interface QueueReply extends QueueSummary {
  /** The oldest first. */
  history: HistoryPoint[];
  /** Of the last hour or two. */
  functions: FunctionRow[];
  /** Upper ends of the parts that `waits` and `runs` count, in ms; the last part has none. */
  bounds: readonly number[];
  /** When the workers that are alive were started. */
  starts: number[];
  /** Redis's clock, epoch ms. */
  now: number;
}

/** `GET api/lately`: of each queue the last hour, in parts of three minutes; none where nothing is known of it. */
export interface LatelyReply {
  queues: { name: string; done: number[]; failed: number[] }[];
}

/** `GET api/failures?queue=`: of one queue, or of all; at most 100 kinds. */
export interface FailuresReply {
  kinds: FailureKind[];
  looked: number;
  caused: number;
  now: number;
}

export type FailureKind = Omit<FailureGroup, 'example'> & {
  /** By which it is known to `api/jobs` and to actions. */
  key: string;
  /** A job. */
  id: string;
  /** Its error, at most 300 characters. */
  error: Text;
};

/** `GET api/find?id=`: queues that know the job. */
export interface FindReply {
  queues: string[];
}

/** How many of its runs waited, and took, how long. */
export type FunctionRow = FunctionTimes & { waits: readonly number[]; runs: readonly number[] };

/** A value as JSON text, at most 10 KB of it. */
export interface Text {
  text: string;
  /** Characters that were left out. */
  cut: number;
}

/** What a list tells of each job as it is. */
export const IN_ROW = [
  'id',
  'state',
  'fn',
  'attempt',
  'priority',
  'enqueuedAt',
  'dueAt',
  'startedAt',
  'endedAt',
  'ranMs',
  'reason',
  'failedStep',
] as const satisfies (keyof JobInfo)[];
export type InRow = (typeof IN_ROW)[number];

export type JobRow = Pick<JobInfo, InRow> & {
  /** At most 200 characters. */
  args: Text;
  /** `name: message`, at most 300 characters. */
  error?: Text;
  progress?: Text;
};

/** `GET api/jobs?queue=&state=&fn=&error=&kind=&args=&offset=&limit=` (50, at most 100) */
export interface JobsReply {
  jobs: JobRow[];
  /** Jobs in this state, whatever the filter. */
  total: number;
  /** Where to go on; missing at the end. With a filter a page may be short, or empty, and yet go on. */
  next?: number;
  now: number;
}

/** `GET api/job?queue=&id=&all=`; 404 for an unknown one. `all`: more of a large flow. */
export interface JobReply {
  job: Omit<JobInfo, 'args' | 'result' | 'progress' | 'error' | 'attempts' | 'log'> & {
    log?: Text;
    args: Text;
    result?: Text;
    progress?: Text;
    error?: ErrorText;
  };
  /** Earlier attempts that failed, the oldest first. The last one, or the one that runs, is the job's own. */
  attempts: (Omit<PastAttempt, 'error'> & { error: ErrorText })[];
  /** Of a running job. */
  worker?: { id: string; host: string; pid: number; since: number };
  flow?: {
    id: string;
    outline: FlowOutline | '(unreadable)';
    /** How many steps are in which state, the most telling first. */
    states?: Record<string, number>;
  };
  now: number;
}

export interface ErrorText {
  name: string;
  message: Text;
  stack?: Text;
  code?: string;
  /** What caused it, and the errors it gathers: lines. */
  causes?: Text;
}

/** `GET api/workers`: of all queues. */
export interface WorkersReply {
  workers: (WorkerInfo & { queue: string; silent: boolean })[];
  now: number;
}

/** `GET api/findings`: what is wrong with any of the queues, then what is worth a look; at most 100. */
export interface FindingsReply {
  findings: QueueFinding[];
}

/** `GET api/cron`: of all queues. */
export interface CronReply {
  entries: (Omit<ScheduleInfo, 'args'> & {
    queue: string;
    args: Text;
    /** The ticks after the next one. */
    later: number[];
  })[];
  now: number;
}

/** `POST api/action` */
export type Action =
  | { action: 'retry' | 'runNow' | 'cancel' | 'remove'; queue: string; id: string }
  | { action: 'retryAll'; queue: string; fn?: string; error?: string }
  | { action: 'retryKind' | 'removeKind'; queue: string; key: string }
  | { action: 'retryThese' | 'removeThese' | 'cancelThese'; queue: string; ids: string[] }
  | { action: 'copy'; queue: string; id: string; args: string }
  | { action: 'limit'; queue: string; rate?: string; concurrency?: number }
  | { action: 'purge'; queue: string; state: FinalState | 'queued' | 'scheduled' }
  | { action: 'pause' | 'resume'; queue: string }
  | { action: 'run' | 'pauseSchedule' | 'resumeSchedule'; queue: string; name: string }
  | { action: 'stopWorker'; queue: string; id: string }
  | { action: 'resizeWorker'; queue: string; id: string; concurrency: number };

export interface ActionReply {
  /** Whether anything was done: a job may have ended meanwhile, a worker may not have answered. */
  done: boolean;
  /** Of what is done to many jobs: how many. */
  count?: number;
  /** Of `retry`: steps of its flow that wait for it again; whether those after it stay failed. */
  revived?: number;
  forgotten?: boolean;
  /** Of `run` and `copy`: id of the job. */
  id?: string;
}

/** `POST api/login`: who gives the token gets a cookie. */
export interface Login {
  token: string;
}

/** Every answer but 2xx. */
export interface ErrorReply {
  error: string;
}

export type { FlowOutline, FunctionTimes, HistoryPoint, JobState, Percentiles, Stats };
