/** The speeds as a picture: an SVG that needs nothing else, with a ground of its own for dark pages. */
import type { Scenario } from './scenarios/scenario.ts';
import type { Row } from './summary.ts';

const COLORS: Readonly<Record<string, string>> = {
  minq: '#0b7a75',
  bullmq: '#d97706',
  'bee-queue': '#6d5bd0',
  floor: '#94a3b8',
};
const INK = '#1f2933';
const FAINT = '#52606d';
const RULE = '#d9dee4';

const WIDTH = 880;
const LEFT = 290;
const BARS = 430;
const BAR = 11;
const GAP = 3;
const BETWEEN = 16;
const TOP = 86;

/** What all bars of a scenario are measured by, if it was measured. */
const BASE = 'bullmq';

/**
 * @param libraries names with versions, for the legend
 * @param made where and how the figures came about
 */
export function chart(
  rows: readonly Row[],
  scenarios: readonly Scenario[],
  libraries: readonly string[],
  made: string,
): string {
  const groups = scenarios.flatMap(({ name, title }) => {
    const bars = rows.flatMap(({ scenario, library, figures }) =>
      scenario === name && figures.jobsPerSecond
        ? [{ library, speed: figures.jobsPerSecond.median }]
        : [],
    );
    const base = bars.find(({ library }) => library === BASE) ?? bars.at(-1);
    return base ? [{ name, title, base, bars }] : [];
  });
  const ratios = groups.flatMap(({ base, bars }) => bars.map(({ speed }) => speed / base.speed));
  const most = Math.max(1, ...ratios);
  const x = (ratio: number) => LEFT + (BARS * ratio) / most;

  let y = TOP;
  const parts: string[] = [];
  for (const { name, title, base, bars } of groups) {
    const height = bars.length * (BAR + GAP) - GAP;
    const middle = y + height / 2;
    const [first, second] = inTwo(title);
    parts.push(
      text(LEFT - 14, middle + (second ? -3 : 1), first, { anchor: 'end', size: 12.5 }),
      ...(second ? [text(LEFT - 14, middle + 12, second, { anchor: 'end', size: 12.5 })] : []),
    );
    for (const { library, speed } of bars) {
      const ratio = speed / base.speed;
      const width = Math.max(1.5, x(ratio) - LEFT).toFixed(1);
      const ours = library === 'minq';
      const times = library === base.library ? '' : ` · ${ratio.toFixed(ratio < 10 ? 1 : 0)} x`;
      parts.push(
        `<rect x="${LEFT}" y="${y}" width="${width}" height="${BAR}" rx="2" fill="${COLORS[library]}">` +
          `<title>${escape(`${library}, ${name}`)}</title></rect>`,
        text(
          x(ratio) + 6,
          y + BAR - 1.5,
          `${Math.round(speed).toLocaleString('en-US')}/s${times}`,
          {
            size: 11,
            color: ours ? INK : FAINT,
            bold: ours,
          },
        ),
      );
      y += BAR + GAP;
    }
    y += BETWEEN - GAP;
  }
  const bottom = y - BETWEEN / 2;
  const height = bottom + 44;
  const hasBase = rows.some(({ library }) => library === BASE);

  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}"`,
    ` role="img" aria-label="Jobs per second of ${escape(libraries.join(', '))}"`,
    ` font-family="system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif">`,
    `<rect x="0.5" y="0.5" width="${WIDTH - 1}" height="${height - 1}" rx="10" fill="#ffffff" stroke="${RULE}"/>`,
    text(24, 34, 'Jobs per second on the same Redis', { size: 17, bold: true }),
    ...legend(libraries),
    `<line x1="${LEFT}" y1="${TOP - 10}" x2="${LEFT}" y2="${bottom}" stroke="${RULE}"/>`,
    ...(hasBase
      ? [
          `<line x1="${x(1)}" y1="${TOP - 10}" x2="${x(1)}" y2="${bottom}" stroke="${RULE}" stroke-dasharray="3 3"/>`,
        ]
      : []),
    ...parts,
    text(24, height - 18, `${made}${hasBase ? '; bars relative to BullMQ = 1 x' : ''}`, {
      size: 11,
      color: FAINT,
    }),
    '</svg>',
    '',
  ].join('\n');
}

function legend(libraries: readonly string[]): string[] {
  let at = 24;
  return libraries.flatMap((label) => {
    const [library = ''] = label.split(' ');
    const shown = library === 'floor' ? 'floor: a bare loop, no features' : label;
    const x = at;
    at += 34 + shown.length * 7;
    return [
      `<rect x="${x}" y="50" width="12" height="12" rx="2" fill="${COLORS[library]}"/>`,
      text(x + 18, 60.5, shown, { size: 12.5 }),
    ];
  });
}

interface Look {
  size: number;
  color?: string;
  anchor?: 'start' | 'end';
  bold?: boolean;
}

const text = (x: number, y: number, words: string, look: Look): string =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" font-size="${look.size}" fill="${look.color ?? INK}"` +
  `${look.anchor === 'end' ? ' text-anchor="end"' : ''}${look.bold ? ' font-weight="600"' : ''}>` +
  `${escape(words)}</text>`;

/** A long title in two lines, parted where it is closest to the middle. */
function inTwo(title: string): [string, string?] {
  if (title.length <= 38) return [title];
  const ends = [...title.matchAll(/ /g)].map(({ index }) => index);
  const middle = title.length / 2;
  const at = ends.toSorted((a, b) => Math.abs(a - middle) - Math.abs(b - middle))[0]!;
  return [title.slice(0, at), title.slice(at + 1)];
}

const escape = (words: string): string =>
  words.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
