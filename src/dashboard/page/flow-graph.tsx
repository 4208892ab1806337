/** A flow, drawn. */
import type { FlowOutline } from './api.js';
import { BOX, layOut, type Leaf, type Place } from './flow-layout.ts';
import { clip, count } from './format.ts';
import { jobHref } from './route.ts';
import { stateClass } from './text.tsx';
import { h, type JSX } from './vendor/preact.js';
import { useLayoutEffect, useRef } from './vendor/hooks.js';

interface FlowGraphProps {
  outline: FlowOutline;
  /** Id of the job whose page this is. */
  own: string;
}

const MARGIN = 4;

export function FlowGraph({ outline, own }: FlowGraphProps): JSX.Element {
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
            {leaf ? <Box leaf={leaf} own={own} /> : <circle cy={BOX.height / 2} r={3} />}
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

function Box({ leaf, own }: { leaf: Leaf; own: string }): JSX.Element {
  const { state } = leaf;
  if (!('id' in leaf)) {
    return (
      <g class={`box more ${stateClass(state)}`}>
        <rect width={BOX.width} height={BOX.height} rx={6} />
        <text x={BOX.width / 2} y={28} text-anchor="middle">
          {count(leaf.more)} more: {state}
        </text>
      </g>
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
        {clip(leaf.fn, 22)}
      </text>
      <text x={14} y={36} class="word">
        {state}
        {mine ? ' · this job' : ''}
      </text>
    </a>
  );
}
