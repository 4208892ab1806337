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

interface Node {
  queue: string;
  node: string;
}

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
  let number = total; // from the last to the first: each must know what follows it
  let groups = 0;

  const part = (queue: string): QueuePart => {
    let found = parts.get(queue);
    if (!found) parts.set(queue, (found = { steps: [], fields: [] }));
    return found;
  };
  const seenFrom = (queue: string, node: Node | undefined): string =>
    !node ? '-' : node.queue === queue ? node.node : `${node.queue}|${node.node}`;

  const addStep = (queue: string, json: string, begin: string, next?: Node): Node => {
    const node = `${id}.${--number}`;
    part(queue).steps.push({ id: node, how: `${seenFrom(queue, next)} ${begin}`, json });
    return { queue, node };
  };
  const add = (each: Flow, next: Node | undefined): Node => {
    switch (each.kind) {
      case 'step': {
        const options = { ...defaults, ...each.options };
        if (meta) options.meta = { ...meta, ...options.meta };
        const { queue = home, delay = 0 } = options;
        const json = recordOf(each.fn, each.args, options);
        return addStep(queue, json, `${letterOf(options.priority)} ${delay}`, next);
      }
      case 'chain':
        return each.steps.reduceRight((after: Node | undefined, step) => add(step, after), next)!;
      case 'group': {
        const group = `${id}*${groups++}`;
        const heads: string[] = [];
        for (let i = each.members.length - 1; i >= 0; i--) {
          const place = { queue: home, node: `${group}/${i + 1}` };
          heads.unshift(seenFrom(home, add(each.members[i]!, place)));
        }
        const { fields } = part(home);
        fields.push([group, `${heads.length} ${seenFrom(home, next)}`]);
        if (heads.length > 0) fields.push([`${group}/`, heads.join(' ')]);
        return { queue: home, node: group };
      }
    }
  };

  const ttl = defaults.resultTtl ?? RUN_DEFAULTS.resultTtl;
  const end = gathers ? addStep(home, recordOf(GATHERED, [], {}), `v ${ttl}`) : undefined;
  const start = add(flow, end);
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
