/** The findings, drawn. */
import { Do, setPaused } from './actions.tsx';
import type { Finding } from './findings.ts';
import { Name } from './text.tsx';
import { h, type JSX } from './vendor/preact.js';

const MOST = 12;

export function Banners({ findings }: { findings: readonly Finding[] }): JSX.Element {
  const first = findings.toSorted((a, b) => Number(b.bad) - Number(a.bad)).slice(0, MOST);
  return (
    <section class="banners" aria-label="What needs attention">
      {first.map(({ key, bad, about, what, hint, link, resume }) => (
        <div key={key} class={bad ? 'banner b-bad' : 'banner b-warn'}>
          <span class="sign" aria-hidden="true">
            {bad ? '✕' : '!'}
          </span>
          <p>
            <span class="sr">{bad ? 'Problem: ' : 'Warning: '}</span>
            <strong>
              <Name text={about} most={80} />
            </strong>{' '}
            {what}{' '}
            {hint && (
              <small>
                <Name text={hint} most={300} />
              </small>
            )}
          </p>
          {link && <a href={link.href}>{link.label}</a>}
          {resume !== undefined && (
            <Do small what={() => setPaused(resume, false)}>
              Resume
            </Do>
          )}
        </div>
      ))}
      {findings.length > MOST && <p class="more">{findings.length - MOST} more of the kind</p>}
    </section>
  );
}
