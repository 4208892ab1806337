/** A flow as people look at it: its shape, with the states its steps are in now. */
import { BadRecordError } from '../job/errors.ts';
import { readJson, type JobState } from '../job/job.ts';
import { isName } from '../job/names.ts';
import type { StoredShape } from './plan.ts';
import type { Store } from '../store/store.ts';

/** Levels of a flow that are followed: far more than people nest, and few enough for the stack. */
const DEEPEST = 1_000;
/** Steps whose states are read in one call. */
const STATES_A_CALL = 500;

/** A step of a flow, and the state it is in now. */
export interface FlowStep {
  id: string;
  fn: string;
  queue: string;
  /** `unknown` once it is forgotten. */
  state: JobState | 'unknown';
  /** Id of the step that failed, where this one failed only because of it. */
  failedStep?: string;
  /** It was cancelled before its turn: it can't be retried. */
  early?: true;
}

/** A part of a flow: a step, or several one after the other (`chain`) or at once (`group`). */
export type FlowNode = FlowStep | { chain: FlowNode[] } | { group: FlowNode[] };

/** A flow as `job.flow()` gives it: its steps in their order, and the tree they stand in. */
export interface FlowInfo {
  id: string;
  /** The queue on which results of groups are gathered: that of the `Queue` the flow was given to. */
  home: string;
  steps: FlowStep[];
  root: FlowNode;
}

/** Id of the flow that a step belongs to, and its place in it, from 0. */
export function placeOf(step: string): { flow: string; step: number } | undefined {
  const dot = step.lastIndexOf('.');
  const number = step.slice(dot + 1);
  return dot > 0 && /^\d+$/.test(number)
    ? { flow: step.slice(0, dot), step: Number(number) }
    : undefined;
}

/**
 * @returns undefined where this queue knows no such flow (any more)
 * @throws {BadRecordError} where its shape can't be read
 */
export async function readFlow(store: Store, flow: string): Promise<FlowInfo | undefined> {
  const text = await store.flows.shape(flow);
  if (text === null) return undefined;
  const { home, root, steps } = readShape(text, flow);
  for (const queue of new Set(steps.map((step) => step.queue))) {
    const there = queue === store.queue ? store : store.on(queue);
    const mine = steps.filter((step) => step.queue === queue);
    for (let i = 0; i < mine.length; i += STATES_A_CALL) {
      const some = mine.slice(i, i + STATES_A_CALL);
      const states = await there.flows.states(some.map(({ id }) => id));
      for (const [j, step] of some.entries()) {
        const [state, failedStep] = states[j]!.split(' ');
        step.state = state as FlowStep['state'];
        if (failedStep === step.id) step.early = true;
        else if (failedStep !== undefined) step.failedStep = failedStep;
      }
    }
  }
  return { id: flow, home, steps, root };
}

/**
 * @returns names of the queues on which it has steps
 * @throws {BadRecordError} where they can't be read
 */
export async function readQueues(store: Store, flow: string): Promise<string[]> {
  const text = await store.flows.shape(flow);
  if (text === null) return [];
  const { queues } = (readJson(text) ?? {}) as Partial<StoredShape>;
  if (!Array.isArray(queues) || !queues.every(isName)) throw unreadable(flow);
  return queues;
}

function readShape(text: string, flow: string): Omit<FlowInfo, 'id'> {
  const { home, shape } = (readJson(text) ?? {}) as Partial<StoredShape>;
  if (!isName(home)) throw unreadable(flow);
  const steps: FlowStep[] = [];
  const step = (name: string): FlowStep => {
    const [fn = '', queue = home] = name.split('@');
    if (!isName(queue)) throw unreadable(flow);
    const read: FlowStep = { id: `${flow}.${steps.length}`, fn, queue, state: 'unknown' };
    steps.push(read);
    return read;
  };
  const node = (part: unknown, depth: number): FlowNode => {
    if (typeof part === 'string') return step(part);
    const { c, g } = (part ?? {}) as Partial<Record<'c' | 'g', unknown>>;
    const parts = c ?? g;
    if (!Array.isArray(parts) || (c && parts.length === 0) || depth > DEEPEST)
      throw unreadable(flow);
    const nodes = parts.map((each) => node(each, depth + 1));
    return c ? { chain: nodes } : { group: nodes };
  };
  return { home, root: node(shape, 0), steps };
}

const unreadable = (flow: string) =>
  new BadRecordError(`the shape of flow ${flow} in Redis is unreadable`);

/** Ids of the unfinished steps that stand directly before this one. */
export function waitsFor({ root }: FlowInfo, step: string): string[] {
  const before = stepsBefore(root, step, []) ?? [];
  return before
    .filter(({ state }) => !['completed', 'unknown'].includes(state))
    .map(({ id }) => id);
}

/** @returns undefined where the step isn't in this part */
function stepsBefore(node: FlowNode, step: string, before: FlowStep[]): FlowStep[] | undefined {
  if ('id' in node) return node.id === step ? before : undefined;
  if ('group' in node) {
    for (const each of node.group) {
      const found = stepsBefore(each, step, before);
      if (found) return found;
    }
    return undefined;
  }
  for (const each of node.chain) {
    const found = stepsBefore(each, step, before);
    if (found) return found;
    before = lastSteps(each);
  }
  return undefined;
}

function lastSteps(node: FlowNode): FlowStep[] {
  if ('id' in node) return [node];
  return 'chain' in node ? lastSteps(node.chain.at(-1)!) : node.group.flatMap(lastSteps);
}
