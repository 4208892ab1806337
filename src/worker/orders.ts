/** What people tell this worker: to say that it is there, to take more or fewer jobs at once, to stop. */
import { checkConcurrency } from '../job/checks.ts';
import type { Logger } from '../job/log.ts';
import { readOrder } from '../store/order.ts';

export interface OrdersOptions {
  worker: string;
  logger: Logger;
  resize: (concurrency: number) => void;
  stop: () => void;
  /** There is something to answer. */
  onHeard: () => void;
}

/** Two people may give orders in the same moment, and each looks for his own answer. */
const MOST_ANSWERED = 10;

export class Orders {
  readonly #options: OrdersOptions;
  /** Ids of the last ones that were carried out; another list for each. */
  answered: readonly string[] = [];

  constructor(options: OrdersOptions) {
    this.#options = options;
  }

  /** @returns whether it was an order; what can't be carried out is not answered */
  heard(message: string): boolean {
    const order = readOrder(message);
    if (!order) return false;
    const { worker, logger, resize, stop, onHeard } = this.#options;
    if (order.worker !== undefined && order.worker !== worker) return true;
    if (order.concurrency !== undefined) {
      try {
        resize(checkConcurrency(order.concurrency, 'concurrency'));
      } catch {
        return true; // no number of slots: no minq sends it
      }
      logger.info('told to run another number of jobs at once', { worker, concurrency: order.concurrency }); // prettier-ignore
    }
    this.answered = [...this.answered, order.ask].slice(-MOST_ANSWERED);
    onHeard();
    if (order.stop === true) {
      logger.info('told to stop', { worker });
      stop();
    }
    return true;
  }
}
