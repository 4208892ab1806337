/** Where one is: a page and what it is about, kept behind the `#` of the address. */

export const PAGES = ['overview', 'jobs', 'job', 'workers', 'cron'] as const;
export type PageName = (typeof PAGES)[number];

export interface Route {
  page: PageName;
  /** What is missing is the page's default. */
  with: Record<string, string>;
}

/** @param hash as `location.hash` gives it; whatever it says, there is a page */
export function parseRoute(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?', 2);
  const page = PAGES.find((name) => name === path) ?? 'overview';
  return { page, with: Object.fromEntries(new URLSearchParams(query)) };
}

/** @param values empty ones are left out */
export function hrefOf(
  page: PageName,
  values: Record<string, string | number | undefined> = {},
): string {
  const query = Object.entries(values)
    .filter(([, value]) => value !== undefined && value !== '')
    .map(([name, value]) => `${name}=${encodeURIComponent(wellFormed(String(value)))}`);
  return `#/${page}${query.length > 0 ? `?${query.join('&')}` : ''}`;
}

/** Half of a surrogate pair can't stand in an address. */
const wellFormed = (text: string): string => text.replace(/\p{Surrogate}/gu, '\uFFFD');

export const jobHref = (queue: string, id: string): string => hrefOf('job', { queue, id });
