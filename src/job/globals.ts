/**
 * What minq uses of the runtime, as it was when minq was loaded. A job may replace it, or a function of it: a patched
 * `JSON.stringify`, a `Date` that stands still, fake timers that were left on. The worker goes on by the true ones.
 * `Promise` is not among them: ioredis and p-limit take whatever stands there.
 */
const { parse, stringify } = globalThis.JSON;
const { performance: clock, Date: Calendar } = globalThis;

/** Since Node 21: whether a value is `JSON.rawJSON`, a text that stands for itself. */
const { isRawJSON = () => false } = globalThis.JSON as { isRawJSON?: (value: unknown) => boolean };

export const JSON = { parse, stringify, isRawJSON };
export const performance = { now: clock.now.bind(clock), timeOrigin: clock.timeOrigin };

export const { setTimeout, setInterval, setImmediate, clearTimeout, clearInterval } = globalThis;

/** Epoch ms. */
export const now: () => number = Calendar.now;
export const Date = Calendar;
export type Date = globalThis.Date;
