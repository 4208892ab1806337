/** Takes from jobs what the user's hook takes out, before anything else looks at them. */
import type { JobInfo } from '../views/inspector.ts';

export type Redact = (job: JobInfo) => JobInfo;

/** A hook that fails has hidden nothing: then everything it may have meant is withheld. */
export const redactor =
  (hook: Redact | undefined): Redact =>
  (job) => {
    if (!hook) return job;
    try {
      const shown = hook(job);
      JSON.stringify(shown); // throws for what can't be sent, a BigInt say
      if (Array.isArray(shown.args) && typeof shown.meta === 'object' && shown.meta) return shown;
    } catch {
      // Withheld, as if it had given nothing that is a job.
    }
    const { result: _, error: __, progress: ___, attempts: ____, ...rest } = job;
    return { ...rest, args: [WITHHELD], meta: {} };
  };

const WITHHELD = 'withheld: redact failed';
