/** Where a storm happens: a Redis of its own, a wire to it for each process, a producer, three workers, and who looks. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Queue, type Counts } from '../../../src/index.ts';
import { startProxy, type Proxy } from '../../helpers/proxy.ts';
import { startRedis, type TestRedis } from '../../helpers/redis.ts';
import { readEvidence, type Line } from './evidence.ts';
import type { ProducerSettings } from './producer.ts';
import { Supervisor } from './supervisor.ts';
import { Watch } from './watch.ts';
import type { WorkerSettings } from './worker.ts';

export const QUEUE = 'storm';
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
  readonly watch: Watch;
  readonly #folder: string;

  /** Resolves when all of them work. */
  static async open(settings: FieldSettings): Promise<Field> {
    // SIGKILL leaves the page cache: what was written is kept. `everysec` may put off a write for two seconds while it
    // syncs; so it could lose what was acknowledged, and that would not be minq's doing.
    const redis = await startRedis(['--appendonly', 'yes', '--appendfsync', 'no']);
    const wires: Proxy[] = [];
    for (let i = 0; i <= WORKERS; i++) wires.push(await startProxy(redis.port));
    const field = new Field(redis, wires, settings.sampleMs > 0);
    try {
      await field.#start(settings);
    } catch (error) {
      await field.close();
      throw error;
    }
    return field;
  }

  private constructor(redis: TestRedis, wires: readonly Proxy[], sampled: boolean) {
    this.redis = redis;
    this.wires = wires;
    this.#folder = mkdtempSync(path.join(tmpdir(), 'minq-storm-'));
    this.supervisor = new Supervisor(sampled ? ['--expose-gc'] : []);
    this.queue = new Queue(QUEUE, { redis: redis.url, callTimeout: 30_000 });
    this.watch = new Watch(redis.client, QUEUE);
    process.on('exit', this.#killRedis);
  }

  async #start({ seed, perSecond, resultTtl, sampleMs }: FieldSettings): Promise<void> {
    const worker = (i: number): WorkerSettings => ({
      redis: this.wires[i]!.url,
      queue: QUEUE,
      leaseMs: LEASE_MS,
      sampleMs,
    });
    const producer: ProducerSettings = {
      redis: this.wires[WORKERS]!.url,
      queue: QUEUE,
      seed,
      perSecond,
      resultTtl,
      sampleMs,
    };
    const start = (name: string, file: string, evidence: string, settings: object) =>
      this.supervisor.start(name, file, this.#file(evidence), JSON.stringify(settings));
    await Promise.all(
      Array.from({ length: WORKERS }, (_, i) =>
        start(workerName(i), 'worker.ts', 'runs', worker(i)),
      ),
    );
    await start('producer', 'producer.ts', 'calls', producer);
    this.watch.start();
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
    const { waiting, scheduled, queued, active }: Counts = await this.queue.counts();
    return waiting + scheduled + queued + active;
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
    await this.queue.close();
    for (const wire of this.wires) await wire.close();
    process.off('exit', this.#killRedis);
    await this.redis.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #file(name: string): string {
    return path.join(this.#folder, name);
  }

  readonly #killRedis = () => this.redis.signal('SIGKILL');
}

export const workerName = (number: number) => `worker ${number}`;
