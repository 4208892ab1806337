/** Where the steps of a flow stand when it is drawn: chains from left to right, groups from top to bottom. */
import type { FlowOutline } from './api.js';

export const BOX = { width: 176, height: 46 };
const GAP_X = 44;
const GAP_Y = 12;

export type Leaf = Exclude<FlowOutline, { chain: unknown } | { group: unknown }>;

/** A box - or, where many meet many, a joint: each goes to one point, and from there on. */
export interface Place {
  leaf?: Leaf;
  /** Its left end, where edges come in, and its right end, where they go out. */
  x: number;
  end: number;
  /** Its middle. */
  y: number;
}

export interface Layout {
  width: number;
  height: number;
  places: Place[];
  edges: [from: Place, to: Place][];
  /** What stands before the flow leads to these... */
  first: Place[];
  /** ... and these lead to what stands behind it. */
  last: Place[];
}

export function layOut(part: FlowOutline): Layout {
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
