/** What is wrong, in order of harm, and the way to what it is about. */
import type { FindingsReply } from './api.js';
import { Do, setPaused } from './actions.tsx';
import { linkOf } from './findings.ts';
import { plural } from './format.ts';
import { useReply } from './server.ts';
import { Name } from './text.tsx';
import { h, type JSX } from './vendor/preact.js';

const MOST_BANNERS = 12;

type Finding = FindingsReply['findings'][number];

interface BannersProps {
  /** Only what is about it. */
  queue?: string;
  /** What is said where nothing is wrong. */
  well?: string;
}

export function Banners({ queue, well }: BannersProps): JSX.Element {
  const { data } = useReply<FindingsReply>('findings', 5_000);
  const findings = (data?.findings ?? []).filter(
    (each) => queue === undefined || each.queue === queue,
  );
  return (
    <section class="banners" aria-label="What needs attention">
      {well !== undefined && data && <Verdict findings={findings} well={well} />}
      {findings.slice(0, MOST_BANNERS).map((finding) => (
        <Banner key={`${finding.check} ${finding.worker ?? finding.queue}`} finding={finding} />
      ))}
      {findings.length > MOST_BANNERS && (
        <p class="more">{findings.length - MOST_BANNERS} more of the kind</p>
      )}
    </section>
  );
}

/** One line for the whole system. */
function Verdict({ findings, well }: { findings: Finding[]; well: string }): JSX.Element {
  const wrong = findings.filter(({ ok }) => !ok).length;
  if (findings.length === 0) {
    return (
      <p class="verdict v-ok">
        <strong>All is well.</strong> {well}
      </p>
    );
  }
  const warnings = findings.length - wrong;
  const parts = [
    wrong > 0 && plural(wrong, 'problem'),
    warnings > 0 && plural(warnings, 'warning'),
  ].filter(Boolean);
  return (
    <p class={wrong > 0 ? 'verdict v-bad' : 'verdict v-warn'}>
      <strong>{parts.join(', ')}.</strong> {well}
    </p>
  );
}

function Banner({ finding }: { finding: Finding }): JSX.Element {
  const { check, ok, message, mend, queue } = finding;
  const link = linkOf(finding);
  return (
    <div class={ok ? 'banner b-warn' : 'banner b-bad'}>
      <span class="sign" aria-hidden="true">
        {ok ? '!' : '✕'}
      </span>
      <p>
        <span class="sr">{ok ? 'Warning: ' : 'Problem: '}</span>
        <strong>
          <Name text={message} most={300} />
        </strong>{' '}
        {mend && (
          <small>
            <Name text={mend} most={300} />
          </small>
        )}
      </p>
      {link && <a href={link.href}>{link.label}</a>}
      {check === 'paused' && (
        <Do small what={() => setPaused(queue, false)}>
          Resume
        </Do>
      )}
    </div>
  );
}
