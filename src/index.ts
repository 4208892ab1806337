export { currentJob, type JobContext } from './worker/context.ts';
export { job } from './define.ts';
export type { Duration } from './duration.ts';
export {
  BadRecordError,
  BadResultError,
  InvalidArgumentError,
  JobCancelledError,
  JobFailedError,
  JobTimeoutError,
  LeaseLostError,
  MinqError,
  QueueClosedError,
  RedisCommandError,
  RedisOutOfMemoryError,
  RedisUnavailableError,
  ResultNotFoundError,
  ResultTimeoutError,
  ShutdownError,
  UnknownFunctionError,
  WorkerLostError,
} from './errors.ts';
export {
  chain,
  chord,
  group,
  step,
  type Chain,
  type Flow,
  type Group,
  type Step,
  type StepOptions,
} from './flow/flow.ts';
export type { FlowInfo, FlowNode, FlowStep } from './flow/view.ts';
export type { Job, ResultOptions } from './handle.ts';
export type {
  Blocked,
  Counts,
  FoundJobs,
  JobFilter,
  JobInfo,
  PastAttempt,
  WorkerInfo,
} from './inspector.ts';
export type { JobState } from './job.ts';
export type { Jsonify } from './jsonify.ts';
export type { Logger, LogFields } from './log.ts';
export type {
  BackoffOptions,
  CronJobOptions,
  EnqueueOptions,
  JobOptions,
  Ticks,
} from './options.ts';
export { Queue, type QueueOptions } from './queue.ts';
export type { ScheduleInfo } from './cron/schedules.ts';
export type { Histogram } from './buckets.ts';
export type { FunctionStats, HistoryPoint, Stats } from './statistics.ts';
export type { EnqueueItem, Schedule } from './signature.ts';
export { Fail, Retry } from './signals.ts';
export type { EnqueueMessage } from './tracing.ts';
export { Worker, type WorkerOptions } from './worker.ts';
export type { WorkerFacts } from './worker/facts.ts';
export type { Middleware } from './worker/executor.ts';
export type { RedisSource } from './client.ts';
