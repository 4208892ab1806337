/** Where one is: a page and what it is about, kept behind the `#` of the address. */

export const PAGES = ['overview', 'failures', 'jobs', 'job', 'workers', 'cron'] as const;
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

export type Values = Record<string, string | number | undefined>;

/** `jobs?queue=...`; what is undefined or empty is left out. */
export function withQuery(path: string, values: Values = {}): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined && value !== '') query.set(name, String(value));
  }
  return query.size > 0 ? `${path}?${query.toString()}` : path;
}

export const hrefOf = (page: PageName, values?: Values): string => `#/${withQuery(page, values)}`;

export const jobHref = (queue: string, id: string): string => hrefOf('job', { queue, id });
