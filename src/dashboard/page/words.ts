/** Cron patterns in words, those that people write most; of the others the pattern itself says more. */

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const MONTHS = [
  'January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December',
]; // prettier-ignore
const MACROS: Record<string, string> = {
  '@hourly': '0 * * * *',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@weekly': '0 0 * * 0',
  '@monthly': '0 0 1 * *',
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
};

/** @returns undefined for a pattern that it has no words for */
export function cronWords(pattern: string): string | undefined {
  const fields = (MACROS[pattern] ?? pattern).trim().split(/\s+/);
  if (fields.length !== 5) return undefined;
  const [minute, hour, day, month, weekday] = fields as [string, string, string, string, string];
  const time = timeWords(minute, hour);
  const days = dayWords(day, weekday);
  const months = month === '*' ? '' : named(month, MONTHS, 1);
  if (time === undefined || days === undefined || months === undefined) return undefined;
  return [time, days, months && `in ${months}`].filter((part) => part !== '').join(' ');
}

function timeWords(minute: string, hour: string): string | undefined {
  const [minutes, hours] = [numbersIn(minute), numbersIn(hour)];
  if (hour === '*') {
    if (minute === '*') return 'every minute';
    const step = stepIn(minute);
    if (step !== undefined) return `every ${step} minutes`;
    return minutes && `every hour at ${minutes.map((m) => `:${two(m)}`).join(', ')}`;
  }
  const step = stepIn(hour);
  if (step !== undefined) {
    return minutes && `every ${step} hours at ${minutes.map((m) => `:${two(m)}`).join(', ')}`;
  }
  if (!minutes || !hours || minutes.length * hours.length > 6) return undefined;
  return `at ${hours.flatMap((h) => minutes.map((m) => `${two(h)}:${two(m)}`)).join(', ')}`;
}

/** Where both are given, either will do. */
function dayWords(day: string, weekday: string): string | undefined {
  if (day === '*' && weekday === '*') return '';
  const numbers = numbersIn(day);
  const dates = numbers && `on day ${numbers.join(', ')} of the month`;
  const names = named(weekday, DAYS, 0);
  const weekdays = names && `on ${names}`;
  if (day === '*') return weekdays;
  if (weekday === '*') return dates;
  return dates && weekdays && `${dates} and ${weekdays}`;
}

function named(field: string, names: readonly string[], first: number): string | undefined {
  const at = (part: string): string | undefined => {
    const short = names.findIndex((name) => name.slice(0, 3).toLowerCase() === part.toLowerCase());
    if (short >= 0) return names[short];
    return /^\d+$/.test(part) ? names[(Number(part) - first) % names.length] : undefined;
  };
  const parts = field.split(',').map((part) => {
    const [from = '', to, ...more] = part.split('-');
    if (more.length > 0) return undefined;
    return to === undefined ? at(from) : at(from) && at(to) && `${at(from)} to ${at(to)}`;
  });
  return parts.includes(undefined) ? undefined : parts.join(', ');
}

const numbersIn = (field: string): number[] | undefined =>
  /^\d+(,\d+)*$/.test(field) ? field.split(',').map(Number) : undefined;

const stepIn = (field: string): number | undefined =>
  /^\*\/\d+$/.test(field) ? Number(field.slice(2)) : undefined;

const two = (n: number): string => String(n).padStart(2, '0');
