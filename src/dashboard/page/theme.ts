/** Light, dark, or as the system has it; remembered by the browser, if it lets us. */

const KEY = 'minq-theme';
const THEMES = ['system', 'light', 'dark'] as const;
type Theme = (typeof THEMES)[number];

const heard = new Set<() => void>();
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => tell());

function stored(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null; // it keeps nothing for us
  }
}

let theme: Theme = THEMES.find((each) => each === stored()) ?? 'system';

function tell(): void {
  if (theme === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = theme;
  for (const each of heard) each();
}
tell();

export const themeNow = (): Theme => theme;

export function nextTheme(): void {
  theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length]!;
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // Until the page is left, then.
  }
  tell();
}

/** @returns ends it */
export function onTheme(hear: () => void): () => void {
  heard.add(hear);
  return () => heard.delete(hear);
}

/** What a colour of style.css is now. */
export function colorOf(name: string): string {
  const probe = document.createElement('i');
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}
