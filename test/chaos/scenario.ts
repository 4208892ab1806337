/** What a scenario of the chaos suite is: one fault, done to one library on a Redis of its own. */
import type { Library, LibraryName } from './libraries/library.ts';

export interface Scenario {
  /** For `--scenario`, and the name of its file: small letters and dashes. */
  readonly name: string;
  /** What is done, in a line of the table. */
  readonly what: string;
  /** To whom it can be done; minq is always among them. */
  readonly libraries: readonly LibraryName[];
  readonly run: (ground: Ground) => Promise<Outcome>;
}

/** What a scenario may use, and has to leave as it found it: everything it starts, it ends. */
export interface Ground {
  readonly library: Library;
  /** Numbers of the random kind come from here, so that a run can be replayed. */
  readonly seed: number;
  /** As long and as often as the reference says; else a short form for CI. */
  readonly full: boolean;
  /** Where it stands, for whoever watches. */
  readonly say: (line: string) => void;
}

export interface Outcome {
  /** Jobs that were accepted: the call that enqueued them resolved. */
  readonly accepted: number;
  /** Accepted jobs that never came to their end. */
  readonly lost: number;
  /** Accepted jobs that ended failed though nothing was wrong with them. */
  readonly failed?: number;
  /** Runs beyond the first of a job. */
  readonly extraRuns: number;
  /** From the fault (or its end, where it lasts) until work went on, in ms, one for each time it was done. */
  readonly recoveredMs: readonly number[];
  /**
   * Of the lost ones, those that a server which was replaced had accepted last, and its successor never heard of.
   * Replication doesn't wait, and no client can hold them: that is told, and is no failure.
   */
  readonly withServer?: number;
  /** What minq promises and was not so, a line each; empty: it holds. For a peer: what stood out. */
  readonly broken: readonly string[];
  /** What the library was given that decides when lost work is done again. */
  readonly settings?: string;
  /** Further numbers worth a line. */
  readonly notes?: readonly string[];
}
