/** Where the steps of a flow stand when it is drawn: chains from left to right, groups from top to bottom. */
import type { FlowOutline } from './api.js';

export const BOX = { width: 176, height: 46 };
const GAP_X = 44;
const GAP_Y = 12;

export type Leaf = Exclude<FlowOutline, { chain: unknown } | { group: unknown }>;

export interface Placed {
  leaf: Leaf;
  x: number;
  y: number;
}

export interface Point {
  x: number;
  y: number;
}

export interface Layout {
  width: number;
  height: number;
  boxes: Placed[];
  edges: [from: Point, to: Point][];
  /** Where many meet many: each goes to one point, and from there on. */
  joints: Point[];
}

export function layOut(outline: FlowOutline): Layout {
  const layout: Layout = { ...sizeOf(outline), boxes: [], edges: [], joints: [] };
  place(outline, 0, 0, layout);
  return layout;
}

/** Each part is measured once. */
const sizes = new WeakMap<object, { width: number; height: number }>();

function sizeOf(part: FlowOutline): { width: number; height: number } {
  const known = sizes.get(part);
  if (known) return known;
  const size = measure(part);
  sizes.set(part, size);
  return size;
}

function measure(part: FlowOutline): { width: number; height: number } {
  if ('chain' in part) {
    const all = part.chain.map(sizeOf);
    return {
      width: sum(all.map(({ width }) => width)) + GAP_X * Math.max(0, all.length - 1),
      height: Math.max(0, ...all.map(({ height }) => height)),
    };
  }
  if ('group' in part) {
    const all = part.group.map(sizeOf);
    return {
      width: Math.max(0, ...all.map(({ width }) => width)),
      height: sum(all.map(({ height }) => height)) + GAP_Y * Math.max(0, all.length - 1),
    };
  }
  return BOX;
}

const sum = (all: number[]): number => all.reduce((a, b) => a + b, 0);

/** Where edges come in and go out. */
interface Ends {
  starts: Point[];
  ends: Point[];
}

function place(part: FlowOutline, x: number, y: number, layout: Layout): Ends {
  if ('chain' in part) return placeChain(part.chain, x, y, layout, sizeOf(part).height);
  if ('group' in part) {
    const all = part.group.map((each) => {
      const ends = place(each, x, y, layout);
      y += sizeOf(each).height + GAP_Y;
      return ends;
    });
    return { starts: all.flatMap(({ starts }) => starts), ends: all.flatMap(({ ends }) => ends) };
  }
  layout.boxes.push({ leaf: part, x, y });
  const middle = y + BOX.height / 2;
  return { starts: [{ x, y: middle }], ends: [{ x: x + BOX.width, y: middle }] };
}

function placeChain(
  parts: FlowOutline[],
  x: number,
  y: number,
  layout: Layout,
  height: number,
): Ends {
  let starts: Point[] = [];
  let before: Point[] = [];
  for (const each of parts) {
    const size = sizeOf(each);
    const placed = place(each, x, y + (height - size.height) / 2, layout);
    connect(before, placed.starts, { x: x - GAP_X / 2, y: y + height / 2 }, layout);
    if (starts.length === 0) starts = placed.starts;
    // A group of none has no ends: what stands before it leads on.
    if (placed.ends.length > 0) before = placed.ends;
    if (size.width > 0) x += size.width + GAP_X;
  }
  return { starts, ends: before };
}

function connect(from: Point[], to: Point[], joint: Point, { edges, joints }: Layout): void {
  if (from.length > 1 && to.length > 1) {
    joints.push(joint);
    for (const each of from) edges.push([each, joint]);
    for (const each of to) edges.push([joint, each]);
    return;
  }
  for (const start of from) for (const end of to) edges.push([start, end]);
}
