/** The same of many queues, a few at a time. */
import pLimit from 'p-limit';

/** So that somebody who looks at a thousand queues doesn't hold up their jobs with a thousand calls at once. */
const AT_ONCE = 10;

/** @returns what each gave, in their order; rejects with the first that does */
export const ofEach = <Queue, T>(
  queues: Iterable<Queue>,
  read: (queue: Queue) => Promise<T>,
): Promise<T[]> => pLimit(AT_ONCE).map(queues, read);
