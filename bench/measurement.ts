/** What a job costs, `jobs` of them having been timed. Not every scenario has every figure. */
export interface Measurement {
  jobs: number;
  jobsPerSecond?: number | undefined;
  /** Commands: sent by the client, and called by its scripts. */
  sent?: number;
  inScripts?: number;
  redisCpuUs: number;
  nodeCpuUs: number;
  /** Between Node and Redis, both directions. */
  bytes: number;
  /** How long one call takes, where calls are waited for. */
  p50Ms?: number;
  p99Ms?: number;
  /** `used_memory` per waiting job. */
  memoryBytes?: number;
  /** That of all of them. */
  totalMiB?: number;
  /** The rate as a share of that of the same work without a queue. */
  ofIdeal?: number;
  /** Of Node, in steps of a millisecond. */
  loopDelayP99Ms?: number;
  /** The longest script, 0 when under a millisecond; and how many took over 5 ms. */
  longestScriptMs: number;
  longScripts: number;
}
