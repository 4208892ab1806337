/** A flow, drawn. */
import type { FlowOutline } from './api.js';
import { BOX, layOut, type Placed, type Point } from './flow-layout.ts';
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
  const { width, height, boxes, edges, joints } = layOut(outline);
  const place = useRef<HTMLDivElement>(null);
  const mine = boxes.find(({ leaf }) => 'id' in leaf && leaf.id === own);

  // In a large flow, its own step is what one looks for.
  useLayoutEffect(() => {
    const { current } = place;
    if (!current || !mine) return;
    current.scrollLeft = mine.x - current.clientWidth / 2 + BOX.width / 2;
    current.scrollTop = mine.y - current.clientHeight / 2 + BOX.height / 2;
  }, [own]);

  return (
    <div ref={place} class="flow" tabIndex={0} role="group" aria-label="Steps of the flow">
      <svg
        width={width + 2 * MARGIN}
        height={height + 2 * MARGIN}
        viewBox={`${-MARGIN} ${-MARGIN} ${width + 2 * MARGIN} ${height + 2 * MARGIN}`}
      >
        <g class="edges" aria-hidden="true">
          {edges.map(([from, to], i) => (
            <path key={i} d={curve(from, to)} />
          ))}
          {joints.map(({ x, y }, i) => (
            <circle key={i} cx={x} cy={y} r={3} />
          ))}
        </g>
        {boxes.map((box, i) => (
          <Box key={'id' in box.leaf ? box.leaf.id : `more ${i}`} box={box} own={own} />
        ))}
      </svg>
    </div>
  );
}

function curve(from: Point, to: Point): string {
  const bend = Math.max(8, (to.x - from.x) / 2);
  return `M${from.x},${from.y} C${from.x + bend},${from.y} ${to.x - bend},${to.y} ${to.x},${to.y}`;
}

function Box({ box, own }: { box: Placed; own: string }): JSX.Element {
  const { leaf, x, y } = box;
  const place = `translate(${x},${y})`;
  if (!('id' in leaf)) {
    return (
      <g class={`box more s-${stateClass(leaf.state)}`} transform={place}>
        <rect width={BOX.width} height={BOX.height} rx={6} />
        <text x={BOX.width / 2} y={28} text-anchor="middle">
          {count(leaf.more)} more: {leaf.state}
        </text>
      </g>
    );
  }
  const mine = leaf.id === own;
  return (
    <a
      href={jobHref(leaf.queue, leaf.id)}
      class={`box s-${stateClass(leaf.state)}${mine ? ' own' : ''}`}
      aria-current={mine ? 'true' : undefined}
    >
      <g transform={place}>
        <title>{`${clip(leaf.fn, 300)}: ${leaf.state}`}</title>
        <rect width={BOX.width} height={BOX.height} rx={6} />
        <rect class="bar" width={5} height={BOX.height} rx={2} />
        <text x={14} y={19} class="fn">
          {clip(leaf.fn, 22)}
        </text>
        <text x={14} y={36} class="word">
          {leaf.state}
          {mine ? ' · this job' : ''}
        </text>
      </g>
    </a>
  );
}
