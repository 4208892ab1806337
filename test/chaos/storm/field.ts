/** Where a storm happens: a Redis of its own, a wire to it for each process, a producer, three workers, and who looks. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Queue, type Counts } from '../../../src/index.ts';
import { Connection } from '../../../src/redis/connection.ts';
import { Store } from '../../../src/store/store.ts';
import { startProxy, type Proxy } from '../../helpers/proxy.ts';
import { startRedis, type TestRedis } from '../../helpers/redis.ts';
import { readEvidence, type Line } from './evidence.ts';
import type { ProducerSettings } from './producer.ts';
import { Supervisor } from './supervisor.ts';
import { Watch } from './watch.ts';
import type { WorkerSettings } from './worker.ts';

export const QUEUE = 'storm';
/** Where some steps of flows live. */
export const FAR = 'storm-far';
export const WORKERS = 3;
export const LEASE_MS = 2_000;

export type FieldSettings = Pick<ProducerSettings, 'seed' | 'perSecond' | 'resultTtl' | 'sampleMs'>;

export class Field {
  readonly redis: TestRedis;
  /** By worker; the producer's is the last. */
  readonly wires: readonly Proxy[];
  readonly supervisor: Supervisor;
  /** On the direct way. */
  readonly queue: Queue;
  readonly far: Queue;
  readonly watch: Watch;
  readonly #connection: Connection;
  readonly #store: Store;
  readonly #folder: string;
  readonly #settings: FieldSettings;

  /** Resolves when all of them work. */
  static async open(settings: FieldSettings): Promise<Field> {
    // SIGKILL leaves the page cache: what was written is kept. `everysec` may put off a write for two seconds while it
    // syncs; so it could lose what was acknowledged, and that would not be minq's doing.
    const redis = await startRedis(['--appendonly', 'yes', '--appendfsync', 'no']);
    const wires: Proxy[] = [];
    for (let i = 0; i <= WORKERS; i++) wires.push(await startProxy(redis.port));
    const field = new Field(redis, wires, settings);
    try {
      await field.#start();
    } catch (error) {
      await field.close();
      throw error;
    }
    return field;
  }

  private constructor(redis: TestRedis, wires: readonly Proxy[], settings: FieldSettings) {
    this.redis = redis;
    this.wires = wires;
    this.#settings = settings;
    this.#folder = mkdtempSync(path.join(tmpdir(), 'minq-storm-'));
    this.supervisor = new Supervisor(settings.sampleMs > 0 ? ['--expose-gc'] : []);
    this.queue = new Queue(QUEUE, { redis: redis.url, callTimeout: 30_000 });
    this.far = new Queue(FAR, { redis: redis.url, callTimeout: 30_000 });
    this.#connection = new Connection(redis.url, {
      name: 'storm',
      callTimeoutMs: 30_000,
      resend: true,
    });
    this.#store = new Store(this.#connection, 'minq', QUEUE);
    this.watch = new Watch(redis.client, QUEUE, FAR);
    process.on('exit', this.#onExit);
  }

  async #start(): Promise<void> {
    await Promise.all(Array.from({ length: WORKERS }, (_, i) => this.startWorker(i)));
    const { supervisor } = this;
    const { seed, perSecond, resultTtl, sampleMs } = this.#settings;
    const redis = this.wires[WORKERS]!.url;
    const settings: ProducerSettings = {
      redis,
      queue: QUEUE,
      far: FAR,
      seed,
      perSecond,
      resultTtl,
      sampleMs,
    };
    await supervisor.start(
      'producer',
      'producer.ts',
      this.#file('calls'),
      JSON.stringify(settings),
    );
    this.watch.start();
  }

  /** Resolves when it works. That after the last of them has the producer's wire. */
  async startWorker(number: number): Promise<void> {
    const redis = this.wires[number]!.url;
    const { resultTtl, sampleMs } = this.#settings;
    const settings: WorkerSettings = {
      redis,
      queue: QUEUE,
      far: FAR,
      leaseMs: LEASE_MS,
      resultTtl,
      sampleMs,
    };
    const args = [this.#file('runs'), JSON.stringify(settings)];
    await this.supervisor.start(workerName(number), 'worker.ts', ...args);
  }

  /** The wires as they should be, and every link that may have lost something closed. */
  heal(): void {
    for (const wire of this.wires) {
      wire.latencyMs = 0;
      wire.swallow = [];
      wire.reset();
    }
  }

  async unfinished(): Promise<number> {
    const all: Counts[] = await Promise.all([this.queue.counts(), this.far.counts()]);
    return all.reduce(
      (sum, { waiting, scheduled, queued, active }) => sum + waiting + scheduled + queued + active,
      0,
    );
  }

  /** As if a minute had passed: flows of which the producer could not write down all parts are given up. */
  async giveUpFlows(): Promise<void> {
    const { client } = this.redis;
    for (const name of [QUEUE, FAR]) {
      const store = this.#store.on(name);
      const { building } = store.keys;
      for (const part of await client.zrange(building, '0', '-1')) {
        if (!part.endsWith(' gone')) await client.zadd(building, 'XX', 1, part);
      }
      await store.prune();
    }
  }

  runs(): Line[] {
    return readEvidence(this.#file('runs'));
  }

  calls(): Line[] {
    return readEvidence(this.#file('calls'));
  }

  async close(): Promise<void> {
    await this.supervisor.close();
    this.redis.client.disconnect(); // ends a look that waits for a Redis that is away
    await this.watch.stop();
    await Promise.all([this.queue.close(), this.far.close()]);
    this.#connection.close();
    for (const wire of this.wires) await wire.close();
    process.off('exit', this.#onExit);
    await this.redis.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #file(name: string): string {
    return path.join(this.#folder, name);
  }

  readonly #onExit = () => {
    this.redis.signal('SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true });
  };
}

export const workerName = (number: number) => `worker ${number}`;
