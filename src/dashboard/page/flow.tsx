/** A flow, drawn: chains from left to right, groups from top to bottom. */
import type { FlowOutline } from './api.js';
import { clip, count } from './format.ts';
import { jobHref } from './route.ts';
import { stateClass } from './text.tsx';
import { h, type JSX } from './vendor/preact.js';
import { useLayoutEffect, useRef } from './vendor/hooks.js';

interface FlowGraphProps {
  outline: FlowOutline;
  /** Id of the job whose page this is. */
  own: string;
  /** Where more of it is shown. */
  more: string;
}

const MARGIN = 4;

export function FlowGraph({ outline, own, more }: FlowGraphProps): JSX.Element {
  const layout = layOut(outline);
  const { places, edges } = layout;
  const [width, height] = [layout.width + 2 * MARGIN, layout.height + 2 * MARGIN];
  const scroll = useRef<HTMLDivElement>(null);

  // In a large flow, its own step is what one looks for.
  useLayoutEffect(() => {
    const mine = places.find(({ leaf }) => leaf && 'id' in leaf && leaf.id === own);
    if (!mine) return;
    const { clientWidth, clientHeight } = scroll.current!;
    scroll.current!.scrollTo((mine.x + mine.end - clientWidth) / 2, mine.y - clientHeight / 2);
  }, [own]);

  return (
    <div ref={scroll} class="flow" tabIndex={0} role="group" aria-label="Steps of the flow">
      <svg width={width} height={height} viewBox={`${-MARGIN} ${-MARGIN} ${width} ${height}`}>
        <g class="edges" aria-hidden="true">
          {edges.map(([from, to], i) => (
            <path key={i} d={curve(from, to)} />
          ))}
        </g>
        {places.map(({ leaf, x, y }, i) => (
          <g key={i} transform={`translate(${x},${y - BOX.height / 2})`}>
            {leaf ? (
              <Box leaf={leaf} own={own} more={more} />
            ) : (
              <circle cy={BOX.height / 2} r={3} />
            )}
          </g>
        ))}
      </svg>
    </div>
  );
}

function curve(from: Place, to: Place): string {
  const bend = Math.max(8, (to.x - from.end) / 2);
  return `M${from.end},${from.y} C${from.end + bend},${from.y} ${to.x - bend},${to.y} ${to.x},${to.y}`;
}

function Box({ leaf, own, more }: { leaf: Leaf; own: string; more: string }): JSX.Element {
  const { state } = leaf;
  if (!('id' in leaf)) {
    return (
      <a class={`box more ${stateClass(state)}`} href={more}>
        <rect width={BOX.width} height={BOX.height} rx={6} />
        <text x={BOX.width / 2} y={28} text-anchor="middle">
          {count(leaf.more)} more: {state}
        </text>
      </a>
    );
  }
  const mine = leaf.id === own;
  return (
    <a
      href={jobHref(leaf.queue, leaf.id)}
      class={`box ${stateClass(state)}${mine ? ' own' : ''}`}
      aria-current={mine ? 'true' : undefined}
    >
      <title>{`${clip(leaf.fn, 300)}: ${state}`}</title>
      <rect width={BOX.width} height={BOX.height} rx={6} />
      <rect class="bar" width={5} height={BOX.height} rx={2} />
      <text x={14} y={19}>
        {clip(leaf.fn, 18)} <tspan class="step">{leaf.id.slice(leaf.id.lastIndexOf('.'))}</tspan>
      </text>
      <text x={14} y={36} class="word">
        {state}
        {mine ? ' · this job' : ''}
      </text>
    </a>
  );
}

const BOX = { width: 176, height: 46 };
const GAP_X = 44;
const GAP_Y = 12;

type Leaf = Exclude<FlowOutline, { chain: unknown } | { group: unknown }>;

/** A box - or, where many meet many, a joint: each goes to one point, and from there on. */
interface Place {
  leaf?: Leaf;
  /** Its left end, where edges come in, and its right end, where they go out. */
  x: number;
  end: number;
  /** Its middle. */
  y: number;
}

interface Layout {
  width: number;
  height: number;
  places: Place[];
  edges: [from: Place, to: Place][];
  /** What stands before the flow leads to these... */
  first: Place[];
  /** ... and these lead to what stands behind it. */
  last: Place[];
}

function layOut(part: FlowOutline): Layout {
  if ('chain' in part) return inRow(part.chain.map(layOut));
  if ('group' in part) return inColumn(part.group.map(layOut));
  const box = { leaf: part, x: 0, end: BOX.width, y: BOX.height / 2 };
  return { ...BOX, places: [box], edges: [], first: [box], last: [box] };
}

function inColumn(parts: Layout[]): Layout {
  let height = 0;
  for (const part of parts) {
    move(part, 0, height);
    height += part.height + GAP_Y;
  }
  return {
    ...together(parts),
    height: Math.max(0, height - GAP_Y),
    first: parts.flatMap(({ first }) => first),
    last: parts.flatMap(({ last }) => last),
  };
}

function inRow(parts: Layout[]): Layout {
  const row = together(parts);
  row.width = 0;
  for (const part of parts) {
    // A group of none has no ends: what stands before it leads on.
    if (part.places.length === 0) continue;
    const x = row.width === 0 ? 0 : row.width + GAP_X;
    move(part, x, (row.height - part.height) / 2);
    connect(row, part.first, { x: x - GAP_X / 2, end: x - GAP_X / 2, y: row.height / 2 });
    if (row.first.length === 0) row.first = part.first;
    row.last = part.last;
    row.width = x + part.width;
  }
  return row;
}

/** As large as the largest of them. */
const together = (parts: Layout[]): Layout => ({
  width: Math.max(0, ...parts.map(({ width }) => width)),
  height: Math.max(0, ...parts.map(({ height }) => height)),
  places: parts.flatMap(({ places }) => places),
  edges: parts.flatMap(({ edges }) => edges),
  first: [],
  last: [],
});

function move({ places }: Layout, x: number, y: number): void {
  for (const place of places) {
    place.x += x;
    place.end += x;
    place.y += y;
  }
}

function connect({ places, edges, last }: Layout, to: Place[], joint: Place): void {
  if (last.length > 1 && to.length > 1) {
    places.push(joint);
    for (const each of last) edges.push([each, joint]);
    for (const each of to) edges.push([joint, each]);
    return;
  }
  for (const start of last) for (const end of to) edges.push([start, end]);
}
