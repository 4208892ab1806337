/** Does the faults, for real: signals to processes, broken sockets, commands that hurt. Mends each at its end. */
import type { TestRedis } from '../../helpers/redis.ts';
import type { Proxy } from '../../helpers/proxy.ts';
import type { Fault, Lanes, PlannedFault } from './faults.ts';

export interface Victims {
  readonly redis: TestRedis;
  /** By worker; the producer's is the last. */
  readonly wires: readonly Proxy[];
  signalWorker(this: void, number: number, signal: NodeJS.Signals): void;
}

/** A fault that was done. Epoch ms. */
export interface Done {
  readonly fault: Fault;
  readonly target: number | 'all';
  readonly beganAt: number;
  readonly endedAt: number;
}

export class Nemesis {
  readonly done: Done[] = [];
  readonly #victims: Victims;
  readonly #say: (line: string) => void;
  readonly #lanes: Promise<void>[];
  #over = false;
  #wake: (() => void)[] = [];

  constructor(lanes: Lanes, victims: Victims, say: (line: string) => void) {
    this.#victims = victims;
    this.#say = say;
    this.#lanes = [this.#work(lanes.workers), this.#work(lanes.redis)];
  }

  /** Begins no more faults, ends those that last, and has mended them when it resolves. */
  async stop(): Promise<void> {
    this.#over = true;
    for (const wake of this.#wake) wake();
    await Promise.all(this.#lanes);
  }

  async #work(faults: readonly PlannedFault[]): Promise<void> {
    for (const planned of faults) {
      await this.#sleep(planned.afterMs);
      if (this.#over) return;
      const { fault, target } = planned;
      this.#say(`${fault}${typeof target === 'number' ? ` ${target}` : ''} ${planned.forMs} ms`);
      const beganAt = Date.now();
      await this.#commit(planned);
      this.done.push({ fault, target, beganAt, endedAt: Date.now() });
    }
  }

  #sleep(ms: number): Promise<void> {
    if (this.#over) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(end, ms);
      this.#wake.push(end);
      function end() {
        clearTimeout(timer);
        resolve();
      }
    });
  }

  async #commit({ fault, forMs, target }: PlannedFault): Promise<void> {
    const { redis, wires, signalWorker } = this.#victims;
    const { client } = redis;
    const hit = target === 'all' ? wires : [wires[target]!];
    switch (fault) {
      case 'kill worker':
        return signalWorker(target as number, 'SIGKILL');
      case 'stop worker':
        signalWorker(target as number, 'SIGSTOP');
        await this.#sleep(forMs);
        return signalWorker(target as number, 'SIGCONT');
      case 'reset connections':
        for (const wire of hit) wire.reset();
        return;
      case 'lose replies':
        for (const wire of hit) wire.swallow = ['replies'];
        await this.#sleep(forMs);
        for (const wire of hit) {
          wire.swallow = [];
          wire.reset();
        }
        return;
      case 'black hole':
        // Links that lost something stay lost, until the deadline of a call closes them.
        for (const wire of hit) wire.swallow = ['requests', 'replies'];
        await this.#sleep(forMs);
        for (const wire of hit) wire.swallow = [];
        return;
      case 'latency':
        for (const wire of hit) wire.latencyMs = 150;
        await this.#sleep(forMs);
        for (const wire of hit) wire.latencyMs = 0;
        return;
      case 'kill Redis':
        await redis.kill();
        await this.#sleep(forMs);
        return redis.restart();
      case 'stop Redis':
        redis.signal('SIGSTOP');
        await this.#sleep(forMs);
        return redis.signal('SIGCONT');
      case 'SCRIPT FLUSH':
        await client.script('FLUSH');
        return;
      case 'CLIENT KILL':
        await client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
        await client.call('CLIENT', 'KILL', 'TYPE', 'pubsub', 'SKIPME', 'yes');
        return;
      case 'CLIENT PAUSE':
        await client.client('PAUSE', forMs, 'ALL');
        await this.#sleep(forMs);
        await client.client('UNPAUSE');
        return;
      case 'maxmemory':
        await client.config('SET', 'maxmemory', '1mb');
        await this.#sleep(forMs);
        await client.config('SET', 'maxmemory', '0');
        return;
    }
  }
}
