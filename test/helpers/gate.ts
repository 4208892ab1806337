/** A job that runs until it is told to go on, and counts: for tests that look while jobs run. */
export interface Gate {
  /** The job's function; it gives back what it was given. */
  readonly pass: <T>(value?: T) => Promise<T | undefined>;
  /** Runs begun so far, under way now, and at most at once. */
  readonly started: number;
  readonly running: number;
  readonly peak: number;
  /** Lets all go on that wait now, and those that come. */
  readonly open: () => void;
}

export function gate(): Gate {
  let started = 0;
  let running = 0;
  let peak = 0;
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return {
    pass: async (value) => {
      started++;
      peak = Math.max(peak, ++running);
      await opened;
      running--;
      return value;
    },
    get started() {
      return started;
    },
    get running() {
      return running;
    },
    get peak() {
      return peak;
    },
    open: () => open(),
  };
}
