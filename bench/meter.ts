/** Reads what a stretch of work costs. */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { monitorEventLoopDelay, type IntervalHistogram } from 'node:perf_hooks';
import type { Redis } from 'ioredis';

export interface Meter {
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Started in this order and stopped in the opposite one: the first is started last, so that it reads none of the others. */
export const together = (...meters: readonly Meter[]): Meter => ({
  async start() {
    for (const meter of meters.toReversed()) await meter.start();
  },
  async stop() {
    for (const meter of meters) await meter.stop();
  },
});

interface Reading {
  at: number;
  nodeCpuUs: number;
  redisCpuUs: number;
  bytes: number;
}

/** Time, CPU of both processes, and bytes between them. Node's CPU is that of all threads of the process. */
export class Stopwatch implements Meter {
  readonly #control: Redis;
  #before: Reading | undefined;
  #after: Reading | undefined;

  constructor(control: Redis) {
    this.#control = control;
  }

  async start(): Promise<void> {
    const server = await readServer(this.#control);
    this.#before = { ...server, ...readNode() };
  }

  async stop(): Promise<void> {
    const node = readNode();
    this.#after = { ...(await readServer(this.#control)), ...node };
  }

  get seconds(): number {
    return this.#spent('at') / 1_000;
  }

  perJob(n: number): { redisCpuUs: number; nodeCpuUs: number; bytes: number } {
    return {
      redisCpuUs: this.#spent('redisCpuUs') / n,
      nodeCpuUs: this.#spent('nodeCpuUs') / n,
      bytes: this.#spent('bytes') / n,
    };
  }

  #spent(what: keyof Reading): number {
    return this.#after![what] - this.#before![what];
  }
}

function readNode(): Pick<Reading, 'at' | 'nodeCpuUs'> {
  const { user, system } = process.cpuUsage();
  return { at: performance.now(), nodeCpuUs: user + system };
}

async function readServer(control: Redis): Promise<Pick<Reading, 'redisCpuUs' | 'bytes'>> {
  const info = await control.info();
  const field = (name: string) => Number(new RegExp(`^${name}:(.*?)\r?$`, 'm').exec(info)?.[1]);
  return {
    redisCpuUs: (field('used_cpu_user') + field('used_cpu_sys')) * 1e6,
    bytes: field('total_net_input_bytes') + field('total_net_output_bytes'),
  };
}

export async function usedMemory(control: Redis): Promise<number> {
  return Number(/^used_memory:(\d+)/m.exec(await control.info('memory'))![1]);
}

/** How late the event loop comes to what is due, as a timer of a millisecond sees it; that millisecond is in it. */
export class LoopDelay implements Meter {
  readonly #histogram: IntervalHistogram = monitorEventLoopDelay({ resolution: 1 });

  async start(): Promise<void> {
    this.#histogram.enable();
  }

  async stop(): Promise<void> {
    this.#histogram.disable();
  }

  get p99Ms(): number {
    return this.#histogram.percentile(99) / 1e6;
  }
}

const LOGGED_FROM_MS = 1;
const LONG_MS = 5;
const MOST_LOGGED = 100_000;

/** The scripts that kept everybody else waiting, from Redis's own log of what was slow. */
export class ScriptLog implements Meter {
  readonly #control: Redis;
  #tookMs: number[] = [];

  constructor(control: Redis) {
    this.#control = control;
  }

  async start(): Promise<void> {
    await this.#control.config('SET', 'slowlog-max-len', MOST_LOGGED);
    await this.#control.config('SET', 'slowlog-log-slower-than', LOGGED_FROM_MS * 1_000);
    await this.#control.slowlog('RESET');
  }

  async stop(): Promise<void> {
    await this.#control.config('SET', 'slowlog-log-slower-than', -1);
    const log = (await this.#control.slowlog('GET', MOST_LOGGED)) as SlowLog;
    await this.#control.slowlog('RESET');
    this.#tookMs = log
      .filter(([, , , [command = '']]) => command.toLowerCase().startsWith('eval'))
      .map(([, , us]) => us / 1_000);
  }

  /** 0 when all took less than a millisecond. */
  get longestMs(): number {
    return this.#tookMs.reduce((longest, ms) => Math.max(longest, ms), 0);
  }

  /** How many took longer than any script should. */
  get long(): number {
    return this.#tookMs.filter((ms) => ms > LONG_MS).length;
  }
}

type SlowLog = readonly [id: number, at: number, us: number, command: string[]][];

const MARK = 'minq-bench';

/**
 * Counts commands, those the client sends and those its scripts call, by MONITOR: `INFO commandstats` adds the
 * two up. MONITOR slows Redis down, so what is counted is never what is timed.
 * On a bare socket: ioredis's own monitor breaks when lines come right behind the OK.
 */
export class CommandCounter implements Meter {
  readonly #control: Redis;
  readonly #counts = { sent: 0, inScripts: 0 };
  #socket: Socket | undefined;
  #marked: Promise<void> | undefined;

  constructor(control: Redis) {
    this.#control = control;
  }

  async start(): Promise<void> {
    const socket = (this.#socket = connect(this.#control.options.port!, '127.0.0.1'));
    const lines = createInterface(socket);
    socket.write('MONITOR\r\n');
    await once(lines, 'line');
    this.#marked = new Promise((resolve) => {
      lines.on('line', (line) => {
        if (line.includes(MARK)) resolve();
        else if (/^\S+ \[\d+ lua\]/.test(line)) this.#counts.inScripts++;
        else this.#counts.sent++;
      });
    });
  }

  async stop(): Promise<void> {
    await this.#control.echo(MARK);
    await this.#marked;
    this.#socket!.destroy();
  }

  perJob(n: number): { sent: number; inScripts: number } {
    return { sent: this.#counts.sent / n, inScripts: this.#counts.inScripts / n };
  }
}

/** Writes a CPU profile of the stretch: open it in a browser's developer tools. */
export class Profiler implements Meter {
  readonly #session = new Session();
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  async start(): Promise<void> {
    this.#session.connect();
    await this.#session.post('Profiler.enable');
    await this.#session.post('Profiler.start');
  }

  async stop(): Promise<void> {
    const { profile } = await this.#session.post('Profiler.stop');
    this.#session.disconnect();
    writeFileSync(this.#file, JSON.stringify(profile));
  }
}
