/** A job that replaces what the runtime gives everybody; in a real process, for all of it would be hurt. */
import { app, minq } from '../helpers/cli.ts';
import { scene } from '../helpers/setup.ts';

const JOBS = `
export function spoil(what) {
  ({
    JSON() {
      JSON.stringify = () => 'nonsense';
      JSON.parse = () => { throw new Error('replaced'); };
      globalThis.JSON = undefined;
    },
    Date() {
      Date.now = () => 0;
      globalThis.Date = class extends Date { getTime() { return NaN; } };
    },
    performance() {
      performance.now = () => 0;
      globalThis.performance = undefined;
    },
    Promise() {
      globalThis.Promise = class Own extends Promise {}; // as a library of promises does
    },
    timers() {
      globalThis.setTimeout = globalThis.setInterval = globalThis.setImmediate = () => 0;
      globalThis.clearTimeout = globalThis.clearInterval = () => {};
    },
  })[what]();
}
export const echo = (value) => value;
let runs = 0;
export const again = () => { if (runs++ === 0) throw new Error('the first time'); return runs; };
export const hangs = () => new Promise(() => {});
export const fails = () => { throw new TypeError('as it was thrown'); };
`;

for (const what of ['JSON', 'Date', 'performance', 'Promise', 'timers']) {
  scene(`a job that replaces ${what} hurts no other, nor the worker's end`, async (t, stage) => {
    const folder = app(t, { 'jobs.mjs': JOBS });
    const worker = minq(t, ['worker', 'jobs.mjs', '--queue', stage.name], {
      cwd: folder,
      redis: stage.redis.url,
    });
    const queue = stage.queue();
    const run = async (fn: string, args: unknown[] = [], options = {}) =>
      (await queue.enqueue(fn, args, options)).result({ timeout: '20s' });
    await run('spoil', [what]);
    t.same(await run('echo', [{ a: [1, 'b', null] }]), { a: [1, 'b', null] });
    t.same(await run('echo', ['later'], { delay: 300 }), 'later');
    t.equal(await run('again', [], { retries: 1, backoff: '100ms' }), 2);
    await t.rejects(run('hangs', [], { timeout: 300, retries: 0 }), { message: /timeout of 300 ms/ });
    await t.rejects(run('fails', [], { retries: 0 }), { cause: { message: 'as it was thrown' } });
    const [failed] = await queue.jobs('failed');
    t.ok(failed!.endedAt! >= failed!.startedAt! && failed!.ranMs! < 20_000);
    t.match(await worker.end(), { code: 0, signal: null });
  });
} // prettier-ignore
