/** Figures and times as people read them. */

const whole = new Intl.NumberFormat('en');
const short = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });

export const count = (n: number): string => whole.format(n);

/** Six digits at most are written out. */
export const figure = (n: number): string => (n < 1_000_000 ? whole.format(n) : short.format(n));

const UNITS: [ms: number, unit: string][] = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1_000, 's'],
];

/** `340 ms`, `1.2 s`, `4 min 10 s`, `3 d 2 h`: the two greatest units. */
export function duration(ms: number): string {
  if (!Number.isFinite(ms)) return '?';
  if (ms < 0) return `-${duration(-ms)}`;
  if (ms < 1) return ms === 0 ? '0 ms' : '<1 ms';
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 9_950) return `${(ms / 1_000).toFixed(1)} s`;
  const s = Math.round(ms / 1_000) * 1_000;
  const at = UNITS.findIndex(([unitMs]) => s >= unitMs);
  const [unitMs, unit] = UNITS[at]!;
  const next = UNITS[at + 1];
  const first = `${Math.floor(s / unitMs)} ${unit}`;
  const rest = next ? Math.floor((s % unitMs) / next[0]) : 0;
  return rest > 0 ? `${first} ${rest} ${next![1]}` : first;
}

/** The greatest unit only: `4 min`. */
function roughly(ms: number): string {
  const s = Math.max(0, Math.round(ms / 1_000)) * 1_000;
  const [unitMs, unit] = UNITS.find(([each]) => s >= each) ?? [1_000, 's'];
  return `${Math.floor(s / unitMs)} ${unit}`;
}

/** `12 s ago`, `in 4 min`. */
export function ago(at: number, now: number): string {
  const ms = now - at;
  if (Math.abs(ms) < 1_000) return 'now';
  return ms > 0 ? `${roughly(ms)} ago` : `in ${roughly(-ms)}`;
}

/** `2026-11-21 12:06:05.123 UTC+1`, the reader's own time zone. */
export function instant(at: number): string {
  const hours = -new Date(at).getTimezoneOffset() / 60;
  const local = new Date(at + hours * 3_600_000);
  if (Number.isNaN(local.getTime())) return '?';
  const zone = hours === 0 ? '' : `${hours > 0 ? '+' : ''}${hours}`;
  return `${local.toISOString().replace('T', ' ').replace('Z', ' UTC')}${zone}`;
}

export function bytes(n: number): string {
  if (n < 1024 ** 2) return `${Math.round(n / 1024)} KB`;
  if (n < 1024 ** 3) return `${Math.round(n / 1024 ** 2)} MB`;
  return `${(n / 1024 ** 3).toFixed(1)} GB`;
}

/** A rate a second as something one can imagine: `12/s`, `3/min`. */
export function rate(perSecond: number): string {
  if (perSecond === 0) return '0/s';
  if (perSecond >= 10) return `${figure(Math.round(perSecond))}/s`;
  if (perSecond >= 1) return `${perSecond.toFixed(1)}/s`;
  return `${Math.max(1, Math.round(perSecond * 60))}/min`;
}

export const plural = (n: number, one: string, many = `${one}s`): string =>
  `${count(n)} ${n === 1 ? one : many}`;

/** The beginning of a text, with a sign that there is more; never half of a character. */
export function clip(text: string, most: number): string {
  if (text.length <= most) return text;
  return `${text.slice(0, most).replace(/[\uD800-\uDBFF]$/, '')}…`;
}
