/** Which queue the jobs of a function go to. */
import type { Flow } from '../flow/flow.ts';

export class Routes {
  readonly #home: string;
  readonly #table: ReadonlyMap<string, string>;

  /** @param home where all others go */
  constructor(home: string, table: Readonly<Record<string, string>> = {}) {
    this.#home = home;
    this.#table = new Map(Object.entries(table));
  }

  queueOf(fn: string): string {
    return this.#table.get(fn) ?? this.#home;
  }

  /** All that something goes to. */
  get queues(): string[] {
    return [...new Set([this.#home, ...this.#table.values()])];
  }

  /** The flow with each step on its queue; one that names its own stays there. */
  lay(flow: Flow): Flow {
    switch (flow.kind) {
      case 'step': {
        const { queue = this.#table.get(flow.fn) } = flow.options;
        return queue === undefined ? flow : { ...flow, options: { ...flow.options, queue } };
      }
      case 'chain':
        return { ...flow, steps: flow.steps.map((each) => this.lay(each)) };
      case 'group':
        return { ...flow, members: flow.members.map((each) => this.lay(each)) };
    }
  }
}
