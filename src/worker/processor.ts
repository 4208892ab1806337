/**
 * The heart of a worker: claim -> execute -> settle, in turns. A turn is one round trip that settles what has finished and
 * claims as many jobs as there are free slots, and a few very short ones ahead (slots.ts); often two are under way (track.ts).
 *
 * Level-triggered: after every wake-up, timeout or error it claims. Group commit: what finishes while a turn
 * is under way, or within the same tick, is settled by the next turn together.
 */
import { performance, setImmediate } from '../job/globals.ts';
import { describeError } from '../job/codec.ts';
import type { Home } from '../job/context.ts';
import type { JobFunction } from '../job/define.ts';
import { pause } from '../job/duration.ts';
import { RedisUnavailableError, type RedisCommandError } from '../job/errors.ts';
import { readClaimed, waitMsOf, type ClaimedJob, type Outcome } from '../job/job.ts';
import type { Logger } from '../job/log.ts';
import { isDenied } from '../redis/rights.ts';
import type { Keep, Store } from '../store/store.ts';
import type { Claim, Turn } from '../store/turn.ts';
import { refuse, unknownFunction, Run, type ExecutorOptions, type Middleware } from './executor.ts';
import { finishedOf, heldOf, type Ending } from './finished.ts';
import { Begun } from './begun.ts';
import { Limits } from './limits.ts';
import type { Courier } from './courier.ts';
import type { Idle } from './idle.ts';
import { logOutcome, logRefusal, logStart } from './joblog.ts';
import type { LoopWatch } from './loop-watch.ts';
import { ProgressReporter } from './progress.ts';
import { keptOf } from './runlog.ts';
import type { Slots } from './slots.ts';
import type { Strangers } from './strangers.ts';
import { beginOneByOne, putOffSuspects } from './suspects.ts';
import type { Timings } from './timings.ts';
import type { Finished, Track } from './track.ts';

const RETRY_AFTER_MS = 100;
const RETRY_AFTER_MOST_MS = 5_000;

export interface ProcessorOptions {
  store: Store;
  home: Home;
  functions: ReadonlyMap<string, JobFunction>;
  slots: Slots;
  leaseMs: number;
  keep: Keep;
  logger: Logger;
  idle: Idle;
  middleware: readonly Middleware[];
  timings: Timings;
  watch: LoopWatch;
  courier: Courier;
  strangers: Strangers;
  /** Called when a right is missing: no later turn would do better. */
  onDenied: (error: RedisCommandError) => void;
  /** Called when a turn found nothing to do and nothing runs: the end of a worker in burst mode. */
  onDrained: () => void;
}

export class Processor {
  readonly #options: ProcessorOptions;
  readonly #slots: Slots;
  readonly #begun: Begun;
  readonly #limits: Limits;
  #scheduled = false;
  /** Jobs that lost their worker begin one by one: nothing else is claimed meanwhile. */
  #beginning = false;
  /** Jobs about which others are asked whether they know the function. */
  #asking = 0;
  #claiming = true;
  #ended = false;
  /** There may be something to claim: set at every wake-up, timeout and error. */
  #look = false;
  #failures = 0;
  /** When a turn was answered last, there was more to claim. */
  #more = false;
  #onQuiet: (() => void) | undefined;
  readonly #executor: ExecutorOptions;

  constructor(options: ProcessorOptions) {
    this.#options = options;
    this.#slots = options.slots;
    this.#limits = new Limits(options.store, options.logger);
    this.#begun = new Begun(options.store, options.slots, options.leaseMs);
    const progress = new ProgressReporter(options.store, options.logger);
    this.#executor = {
      home: options.home,
      logger: options.logger,
      middleware: options.middleware,
      progress,
      watch: options.watch,
      onOutcome: (run, outcome) => {
        const log = run.log && keptOf(run.log, run.fn.options.keepLogs, outcome);
        progress.flush(run.job.ticket, log);
        this.#onOutcome(run, outcome);
      },
      onReturn: (run) => this.#onReturn(run),
    };
  }

  /** There may be something to claim. */
  lookAgain(): void {
    this.#look = true;
    this.#schedule();
  }

  /** Jobs that others can't run, and we may. What can't be found out now is found when they come due. */
  lookForStrangers(): void {
    this.#options.strangers.look().then((found) => found && this.lookAgain(), () => {}); // prettier-ignore
  }

  /** Claims nothing more. The token that a broken sleep may have taken is handed on by the turn that follows. */
  stopClaiming(): void {
    this.#claiming = false;
    this.#options.idle.close();
    this.lookAgain();
  }

  /**
   * Resolves when every outcome is decided and every settlement was answered. A function that goes on after
   * its outcome was decided ignores its signal: it isn't waited for.
   */
  quiet(): Promise<void> {
    return new Promise((resolve) => {
      this.#onQuiet = resolve;
      this.#tellIfQuiet();
    });
  }

  /** Gives every undecided job back to the queue. Resolves when that is settled. */
  releaseAll(): Promise<void> {
    for (const run of this.#slots) run.release();
    return this.quiet();
  }

  /** No turn follows. What is still held comes back by its lease. */
  end(): void {
    this.#ended = true;
    this.#options.idle.stay();
    this.#begun.stop();
  }

  #settled(): boolean {
    const quiet = !this.#scheduled && !this.#beginning && this.#asking === 0;
    return (
      quiet && this.#slots.finished === 0 && !this.#slots.tracks.some(({ pending }) => pending)
    );
  }

  /** Whether there is enough to claim for two turns. */
  get #mayHalve(): boolean {
    return this.#more && this.#hungry && this.#limits.together;
  }

  get #hungry(): boolean {
    return this.#claiming && !this.#beginning && this.#slots.free > 0;
  }

  #tellIfQuiet(): void {
    if (!this.#onQuiet || !this.#settled() || this.#look) return;
    for (const run of this.#slots) if (!run.decided) return;
    this.#onQuiet();
  }

  /** After all microtasks: jobs that finish together are settled together. */
  #schedule(): void {
    if (this.#scheduled || this.#ended || !this.#nextTrack()) return;
    this.#scheduled = true;
    process.nextTick(() => {
      this.#scheduled = false;
      const track = this.#nextTrack();
      if (track) void this.#takeTurn(track);
      if (this.#mayHalve) this.#schedule();
    });
  }

  /** While it is looked for what a turn fails by, there is one at a time. */
  #nextTrack(): Track | undefined {
    const wait = !this.#limits.together && this.#slots.tracks.some(({ busy }) => busy);
    return wait ? undefined : this.#slots.nextTrack(this.#mayHalve);
  }

  async #takeTurn(track: Track): Promise<void> {
    const [one, two] = this.#slots.tracks;
    track.begin(track === one ? two : one);
    this.#giveBack(this.#slots.leftAhead());
    const limits = this.#limits;
    const halve = this.#mayHalve;
    const settlements = this.#slots.beginSettling(track, limits.settled, halve);
    const mayClaim = this.#hungry && (limits.together || settlements.length === 0);
    const free = mayClaim ? this.#slots.claimable(halve) : 0;
    const ahead = this.#slots.howManyAhead();
    const want = free > 0 ? free + ahead : 0;
    track.claiming = free;
    const { strangers } = this.#options;
    const [met, named] = [strangers.met, strangers.next(free)];
    this.#look = false;
    this.#options.idle.stay();
    const sentAt = performance.now();
    let nextIn: number;
    try {
      const reply = await this.#options.store.turn(
        track.turn,
        this.#options.leaseMs,
        want,
        settlements,
        { named, room: limits.room, track: track.index },
      );
      this.#failures = 0;
      this.#more = reply.nextIn === 0;
      for (const refusal of reply.refused) this.#onRefusal(refusal, settlements);
      track.answered();
      limits.went(this.#slots.finished);
      strangers.tell(met);
      if (strangers.asked(named)) this.lookForStrangers();
      if (reply.post.length > 0) this.#options.courier.carry(reply.post);
      // What arrives after the call to stop is not wanted any more. Back, not run.
      if (!this.#claiming) this.#giveBack(reply.claimed);
      else this.#beginAll(reply.claimed, free, sentAt);
      nextIn = reply.nextIn;
    } catch (error) {
      const neverSent = error instanceof RedisUnavailableError && !error.maybeEnqueued;
      track.fail(want > 0 && !neverSent);
      await this.#pauseAfter(error);
      // Of two turns nobody knows which one it was.
      const instead = track.alone ? await limits.failed(error, settlements) : undefined;
      if (instead) track.settleInstead(instead);
      // Who stops with nothing at stake needn't wait for Redis to come back.
      this.#look = this.#claiming;
      nextIn = 0;
    } finally {
      track.busy = false;
    }
    this.#afterTurn(nextIn);
  }

  #onRefusal({ ticket, why }: Turn['refused'][number], settlements: readonly Finished[]): void {
    logRefusal(this.#options.logger, { ticket, why });
    const settlement = settlements.find(({ job }) => job.ticket === ticket);
    // Else a heartbeat has counted it.
    if (why === 'lost' && !settlement?.run?.leaseLost) this.#slots.leasesLost++;
  }

  #afterTurn(nextIn: number): void {
    const { tracks, finished, busy } = this.#slots;
    const more = nextIn === 0 || this.#options.strangers.waiting;
    const pending = tracks.some((track) => track.pending);
    if (finished > 0 || this.#look || (this.#hungry && more) || pending) {
      this.#schedule();
    } else if (this.#hungry) {
      if (busy === 0) this.#options.onDrained();
      if (this.#claiming) this.#options.idle.wait(nextIn, () => this.lookAgain());
    }
    this.#tellIfQuiet();
  }

  /** The turn is sent again under the same number: if it was carried out after all, it has no second effect. */
  async #pauseAfter(error: unknown): Promise<void> {
    if (isDenied(error)) this.#options.onDenied(error);
    const pauseMs = Math.min(RETRY_AFTER_MS * 2 ** this.#failures++, RETRY_AFTER_MOST_MS);
    const unavailable = error instanceof RedisUnavailableError;
    if (this.#failures === 1 || !unavailable) {
      this.#options.logger.error(`turn failed, trying again: ${describeError(error).message}`);
    }
    // Redis coming back ends the wait for the connection; a server that refuses needs to be left alone a while.
    await pause(unavailable ? RETRY_AFTER_MS : pauseMs);
  }

  /**
   * A claim that took this long to arrive, or whose jobs waited for one that blocked the loop, may have lost its lease:
   * what is left of it goes back unrun.
   * @param free how many slots were free: those beyond are claimed ahead
   * @param sentAt when the claim was sent, by our own clock: no lease of it began earlier
   */
  #beginAll(claims: readonly Claim[], free: number, sentAt: number): void {
    const tooOld = () => performance.now() - sentAt > this.#options.leaseMs / 2;
    if (tooOld() || this.#beginning) return this.#giveBack(claims);
    const fresh: Run[] = [];
    const lost: Run[] = [];
    for (const claim of claims.slice(0, free)) {
      const run = this.#prepare(claim);
      if (run) (run.lostBefore ? lost : fresh).push(run);
    }
    // Beside one that may have killed its worker as it began, none begins that needn't.
    const alone = lost.some(({ inHand }) => inHand);
    this.#slots.fillAhead(alone ? [] : claims.slice(free));
    if (alone) this.#giveBack(claims.slice(free));
    let next = 0;
    while (!alone && next < fresh.length && !tooOld()) this.#start(fresh[next++]!);
    this.#giveBack(fresh.slice(next).map(({ job }) => job));
    if (lost.length > 0) void this.#beginLost(putOffSuspects(lost, this.#slots), tooOld);
    while (this.#slots.free > 0 && this.#startNext()); // some were settled without a run
    if (claims.length > 0) setImmediate(() => this.#afterTick());
  }

  async #beginLost(lost: readonly Run[], tooOld: () => boolean): Promise<void> {
    this.#beginning = true;
    await beginOneByOne(lost, {
      wanted: () => this.#claiming && !tooOld(),
      busy: () => this.#slots.busy,
      tell: (run) => this.#options.store.begun([run.job], this.#options.leaseMs),
      begin: (run) => this.#start(run),
      giveBack: ({ job }) => this.#giveBack([job]),
    });
    this.#beginning = false;
    this.#afterTick();
    this.lookAgain();
  }

  /** @returns undefined for a job that is settled without being run */
  #prepare(claim: Claim): Run | undefined {
    let job: ClaimedJob;
    try {
      job = readClaimed(claim);
    } catch (error) {
      const known = heldOf(claim);
      this.#options.logger.error(`job failed: ${(error as Error).message}`, { id: known.id });
      this.#settle({ job: known, outcome: { kind: 'failed', error: describeError(error) } });
      return undefined;
    }
    const fn = this.#options.functions.get(job.record.fn);
    const outcome = refuse(job, fn);
    if (!outcome) return new Run(job, fn!, this.#executor);
    if (!fn && outcome.kind === 'failed') void this.#failUnlessKnown(job, outcome);
    else this.#end(job, fn, outcome);
    return undefined;
  }

  /** Nobody may know its function; but while somebody does, it doesn't fail for that. */
  async #failUnlessKnown(job: ClaimedJob, outcome: Outcome): Promise<void> {
    this.#asking++;
    const known = await this.#options.strangers.isKnown(job.record.fn);
    this.#asking--;
    this.#end(job, undefined, known ? unknownFunction(job, true) : outcome);
  }

  /** Of a job that can't or needn't be run. */
  #end(job: ClaimedJob, fn: JobFunction | undefined, outcome: Outcome): void {
    if (!fn && outcome.kind === 'postponed') this.#options.strangers.meet(job);
    logOutcome(this.#options.logger, job, outcome, 0);
    if (fn) this.#options.timings.count(fn.name, outcome.kind);
    // The run that its ticket stands for never began; the one before did.
    const lost = outcome.kind === 'failed' && outcome.error.name === 'WorkerLostError';
    const ended = lost ? { ...job, attempt: job.attempt - 1 } : job;
    this.#settle({ job: ended, outcome, record: job.record, fn });
  }

  #start(run: Run): void {
    this.#slots.take(run);
    logStart(this.#options.logger, run.job);
    this.#begun.soon();
    run.execute();
  }

  /** To the front of the queue, as if they had not been claimed. */
  #giveBack(claims: readonly Pick<Claim, 'ticket' | 'claimedAt'>[]): void {
    for (const claim of claims) this.#settle({ job: heldOf(claim), outcome: { kind: 'released' } });
  }

  /** The next of those claimed ahead takes the free slot. @returns undefined where there is none */
  #startNext(): Run | undefined {
    for (let claim = this.#slots.nextAhead(); claim; claim = this.#slots.nextAhead()) {
      const run = this.#prepare(claim);
      if (!run) continue;
      // Who may have killed a worker begins when Redis knows, and not before.
      if (!run.lostBefore) {
        this.#start(run);
        return run;
      }
      this.#slots.refuseAhead();
      this.#giveBack([claim]);
    }
    return undefined;
  }

  /** For those of the jobs begun by a turn that did not end within the tick. */
  #afterTick(): void {
    for (const run of this.#slots) run.limitTime();
    if (this.#slots.waiting > 0) this.lookAgain();
  }

  #onReturn(run: Run): void {
    this.#slots.leave(run);
    // Its outcome may have been settled long ago: only now is its slot free.
    if (this.#hungry && !this.#startNext()) this.lookAgain();
    this.#tellIfQuiet();
  }

  #onOutcome(run: Run, outcome: Outcome): void {
    const ranMs = Math.round((performance.now() - run.startedAt) * 100) / 100;
    logOutcome(this.#options.logger, run.job, outcome, ranMs);
    this.#options.watch.ran(run, ranMs);
    this.#options.timings.count(run.fn.name, outcome.kind, ranMs, waitMsOf(run.job));
    this.#settle({ job: run.job, outcome, ranMs, record: run.job.record, fn: run.fn, run });
  }

  #settle(ending: Ending): void {
    this.#slots.finish(finishedOf(ending, this.#options.keep, this.#options.store.queue));
    this.#schedule();
  }
}
