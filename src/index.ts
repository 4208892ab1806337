export { currentJob, type JobContext } from './job/context.ts';
export { job, routesOf } from './job/define.ts';
export type { Duration } from './job/duration.ts';
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
} from './job/errors.ts';
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
export type { WorkerAnswer, WorkerOrder } from './queue/control.ts';
export type { Retried } from './queue/failed.ts';
export type { Job, ResultOptions } from './queue/handle.ts';
export type { QueueFinding } from './views/findings.ts';
export type {
  Blocked,
  Counts,
  FoundJobs,
  JobFilter,
  JobInfo,
  PastAttempt,
  QueueLimit,
  WorkerInfo,
} from './views/inspector.ts';
export type { FailureGroup, Failures } from './views/failures.ts';
export type { JobState } from './job/job.ts';
export type { Jsonify } from './job/jsonify.ts';
export type { Logger, LogFields } from './job/log.ts';
export type {
  BackoffOptions,
  CronJobOptions,
  EnqueueOptions,
  JobOptions,
  Ticks,
} from './job/options.ts';
export { defineConfig, type Config } from './cli/config.ts';
export { currentQueue } from './queue/current.ts';
export { Queue, type QueueOptions } from './queue/queue.ts';
export type { ScheduleInfo } from './cron/schedules.ts';
export type { Histogram } from './store/buckets.ts';
export type { FunctionStats, HistoryPoint, Stats } from './views/statistics.ts';
export type { EnqueueItem, Schedule } from './queue/signature.ts';
export { Fail, Retry } from './job/signals.ts';
export type { EnqueueMessage } from './queue/tracing.ts';
export { Worker, type WorkerOptions } from './worker/worker.ts';
export type { Readiness, WorkerFacts } from './worker/facts.ts';
export type { Middleware } from './worker/executor.ts';
export type { RedisSource } from './redis/client.ts';
