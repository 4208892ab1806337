/**
 * What the server answers, as the build has just written it down: the pages are compiled for browsers, and the
 * sources behind these types are not.
 */
export type {
  Action,
  ActionReply,
  CronReply,
  ErrorReply,
  ErrorText,
  FailureKind,
  FailuresReply,
  FindingsReply,
  FindReply,
  FlowOutline,
  FunctionRow,
  FunctionTimes,
  HistoryPoint,
  JobReply,
  JobRow,
  JobsReply,
  JobState,
  LatelyReply,
  Percentiles,
  QueueReply,
  QueueSummary,
  QueuesReply,
  Stats,
  Text,
  WorkersReply,
} from '../../../dist/dashboard/api.js';
