/**
 * A flow made ready for Redis: its steps numbered in their order, each knowing the node that follows it. What a
 * node is, and what is done about it, stands in scripts/flowing.ts.
 */
import { JSON } from '../job/globals.ts';
import type { Flow, Step } from './flow.ts';
import { newId } from '../job/id.ts';
import { RUN_DEFAULTS, type ResolvedEnqueueOptions } from '../job/checks.ts';
import { letterOf, recordOf } from '../job/record.ts';
import type { PlannedFlow, QueuePart } from '../store/flow.ts';

/** Stands for the result of a group at the end of a flow; no function runs. */
export const GATHERED = 'group';

export interface FlowPlan extends PlannedFlow {
  readonly last: { id: string; fn: string; queue: string };
}

/**
 * A flow's shape as it is kept: a step is the name of its function, `fn@queue` where it lives on another one. Steps are
 * numbered as they stand.
 */
export type Shape = string | { c: Shape[] } | { g: Shape[] };

/** A flow as its queues know it. */
export interface StoredShape {
  home: string;
  queues: string[];
  shape: Shape;
}

export interface Node {
  queue: string;
  node: string;
}

/** Steps, one after the other (`chain`) or at once (`group`). */
export type Tree<Leaf> = Leaf | { chain: readonly Tree<Leaf>[] } | { group: readonly Tree<Leaf>[] };

/**
 * Gives each step and group its node, from the last to the first: each is told what follows it. Steps are numbered as they
 * stand; groups, whose results are gathered on `home`, in the order in which they are met.
 * @returns where it begins
 */
export function layOut<Leaf extends object>(
  tree: Tree<Leaf>,
  { flow, total, home }: { flow: string; total: number; home: string },
  onStep: (step: Leaf, node: string, next: Node | undefined) => Node,
  onGroup: (node: string, heads: readonly Node[], next: Node | undefined) => void,
): Node {
  let number = total;
  let groups = 0;
  const add = (part: Tree<Leaf>, next: Node | undefined): Node => {
    if ('chain' in part) {
      return part.chain.reduceRight((after: Node | undefined, each) => add(each, after), next)!;
    }
    if (!('group' in part)) return onStep(part, `${flow}.${--number}`, next);
    const node = `${flow}*${groups++}`;
    const heads: Node[] = [];
    for (let i = part.group.length - 1; i >= 0; i--) {
      heads.unshift(add(part.group[i]!, { queue: home, node: `${node}/${i + 1}` }));
    }
    onGroup(node, heads, next);
    return { queue: home, node };
  };
  return add(tree, undefined);
}

/** As a queue writes down what follows: `-` for nothing. */
export const seenFrom = (queue: string, node: Node | undefined): string =>
  !node ? '-' : node.queue === queue ? node.node : `${node.queue}|${node.node}`;

/** A group's entry in `flows`: its size, and what follows it. */
export const groupEntry = (home: string, heads: readonly Node[], next: Node | undefined) =>
  `${heads.length} ${seenFrom(home, next)}`;

/** Where a group begins: what stands in `flows` under `<group>/`. */
export const headsEntry = (home: string, heads: readonly Node[]): string =>
  heads.map((head) => seenFrom(home, head)).join(' ');

/** What is known of a flow before its steps are laid out. */
export type FlowHead = Pick<FlowPlan, 'flow' | 'total' | 'last'>;

export function headOf(flow: Flow, home: string): FlowHead {
  const id = newId();
  const end = lastStep(flow);
  const total = countSteps(flow) + (end ? 0 : 1);
  const { fn = GATHERED, options } = end ?? {};
  const last = { id: `${id}.${total - 1}`, fn, queue: options?.queue ?? home };
  return { flow: id, total, last };
}

/**
 * @param meta what each step has beneath its own
 * @throws {InvalidArgumentError} for an argument that can't be stored, naming function and place
 */
export function planFlow(
  flow: Flow,
  home: string,
  defaults: ResolvedEnqueueOptions,
  head: FlowHead = headOf(flow, home),
  meta?: Record<string, string>,
): FlowPlan {
  const { flow: id, total } = head;
  const parts = new Map<string, QueuePart>();
  const gathers = !lastStep(flow);

  const part = (queue: string): QueuePart => {
    let found = parts.get(queue);
    if (!found) parts.set(queue, (found = { steps: [], fields: [] }));
    return found;
  };
  const ttl = defaults.resultTtl ?? RUN_DEFAULTS.resultTtl;
  const start = layOut<Step | typeof END>(
    gathers ? { chain: [treeOf(flow), END] } : treeOf(flow),
    { flow: id, total, home },
    (step, node, next) => {
      if (!('args' in step)) {
        part(home).steps.push({ id: node, how: `- v ${ttl}`, json: recordOf(GATHERED, [], {}) });
        return { queue: home, node };
      }
      const options = { ...defaults, ...step.options };
      if (meta) options.meta = { ...meta, ...options.meta };
      const { queue = home, delay = 0 } = options;
      const how = `${seenFrom(queue, next)} ${letterOf(options.priority)} ${delay}`;
      part(queue).steps.push({ id: node, how, json: recordOf(step.fn, step.args, options) });
      return { queue, node };
    },
    (group, heads, next) => {
      const { fields } = part(home);
      fields.push([group, groupEntry(home, heads, next)]);
      if (heads.length > 0) fields.push([`${group}/`, headsEntry(home, heads)]);
    },
  );
  part(home);
  const queues = [...parts.keys()];
  const shape = shapeOf(flow, home);
  const stored: StoredShape = { home, queues, shape: gathers ? { c: [shape, GATHERED] } : shape };
  for (const { steps, fields } of parts.values()) {
    const final = steps[0]; // the last one comes first
    if (!final) continue;
    final.how += ' *';
    fields.push([id, JSON.stringify(stored)]);
  }
  const first = part(start.queue);
  parts.delete(start.queue);
  parts.set(start.queue, first);
  return { ...head, parts, start };
}

/** What stands at the end of a flow that ends in a group. */
const END = Object.freeze({ fn: GATHERED });

function treeOf(flow: Flow): Tree<Step> {
  if (flow.kind === 'step') return flow;
  return flow.kind === 'chain'
    ? { chain: flow.steps.map(treeOf) }
    : { group: flow.members.map(treeOf) };
}

function countSteps(flow: Flow): number {
  if (flow.kind === 'step') return 1;
  const inside = flow.kind === 'chain' ? flow.steps : flow.members;
  return inside.reduce((sum, each) => sum + countSteps(each), 0);
}

/** Undefined of a flow that ends in a group. */
function lastStep(flow: Flow): Step | undefined {
  if (flow.kind === 'group') return undefined;
  return flow.kind === 'step' ? flow : lastStep(flow.steps.at(-1)!);
}

function shapeOf(flow: Flow, home: string): Shape {
  switch (flow.kind) {
    case 'step':
      return labelOf(flow, home);
    case 'chain':
      return { c: flow.steps.map((step) => shapeOf(step, home)) };
    case 'group':
      return { g: flow.members.map((member) => shapeOf(member, home)) };
  }
}

const labelOf = ({ fn, options: { queue } }: Step, home: string): string =>
  queue === undefined || queue === home ? fn : `${fn}@${queue}`;
