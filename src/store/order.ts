/** What people tell workers on the control channel. A worker answers with a sign of life that has the order's id. */
import { JSON } from '../job/globals.ts';
import { readJson } from '../job/job.ts';

export interface Order {
  /** Its id. */
  readonly ask: string;
  /** Id of the worker it is for; without one it is for all of the queue. */
  readonly worker?: string | undefined;
  /** Jobs at once from now on. */
  readonly concurrency?: number;
  readonly stop?: true;
}

export const orderText = (order: Order): string => JSON.stringify(order);

/** @returns undefined for any other message. (A ticket may begin with a brace too, but is no JSON.) */
export function readOrder(message: string): Order | undefined {
  if (!message.startsWith('{')) return undefined;
  const order = readJson(message) as Partial<Order> | undefined;
  return typeof order?.ask === 'string' ? (order as Order) : undefined;
}
