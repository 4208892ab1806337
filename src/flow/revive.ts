/**
 * Retry revives a flow: before a step that failed is queued again, what failed only because of it is put back to where it
 * was, waiting for its turn. Groups on the way get back what they had; the results of their members come from the outcomes
 * these have left, as long as they are kept.
 */
import { MinqError } from '../job/errors.ts';
import type { Piece } from '../store/scripts/revive.ts';
import type { Store } from '../store/store.ts';
import { groupEntry, headsEntry, layOut, seenFrom, type Node } from './plan.ts';
import { readFlow, readQueues, type FlowInfo, type FlowStep } from './view.ts';

export interface Revival {
  /** Of each step to be retried that has something to revive, what the retry is to name instead of its id. */
  marks: Map<string, string>;
  /** How many steps wait for their turn again. */
  revived: number;
  /** Nothing was revived, for a result, or a step, is kept no more. */
  forgotten: boolean;
}

/** A step or a group, and what stands around it. */
interface Part {
  queue: string;
  next: Node | undefined;
  step?: FlowStep;
  heads?: readonly Node[];
}

/**
 * @param store of the queue on which the steps are
 * @param ids steps of the flow that are to be retried together
 * @throws {MinqError} `FLOW_BUSY`: the failure of a step is still on its way through the flow
 */
export async function revive(store: Store, flow: string, ids: string[]): Promise<Revival> {
  const nothing: Revival = { marks: new Map(), revived: 0, forgotten: false };
  for (const queue of await readQueues(store, flow)) {
    await perform(store, queue, flow, [], []); // what flows have to do yet comes first
  }
  const info = await readFlow(store, flow);
  if (!info) return { ...nothing, forgotten: await isFollowed(store, ids) };
  const { pieces, marks, revived, forgotten } = reviving(info, ids);
  if (forgotten || revived === 0) return { ...nothing, forgotten };
  for (let from = 0, till = 0; from < pieces.length; from = till) {
    const { queue } = pieces[from]!;
    while (till < pieces.length && pieces[till]!.queue === queue) till++;
    const some = pieces.slice(from, till).map(({ piece }) => piece);
    if (!(await perform(store, queue, flow, ids, some))) return nothing;
  }
  return { marks, revived, forgotten };
}

/** Whether anything comes after these steps. */
async function isFollowed(store: Store, ids: readonly string[]): Promise<boolean> {
  const infos = await Promise.all(ids.map((id) => store.info(id)));
  return infos.some(({ row }) => row[8] && !row[8].startsWith('-'));
}

/** @returns false where the steps have been retried already */
async function perform(
  store: Store,
  queue: string,
  flow: string,
  origins: string[],
  pieces: Piece[],
): Promise<boolean> {
  const there = queue === store.queue ? store : store.on(queue);
  const refused = await there.flows.revive(origins, pieces);
  if (refused === 'busy' || refused === 'carried') throw busy(flow);
  return refused === undefined;
}

const busy = (flow: string) =>
  new MinqError(
    'FLOW_BUSY',
    `flow ${flow} can't be revived yet: a failure is still on its way through it, which workers of its queues carry; retry in a moment`,
  );

/** What is to be put back, in the order in which a failure goes: whoever takes it back reaches all of it. */
function reviving(info: FlowInfo, ids: readonly string[]) {
  const parts = partsOf(info);
  const retried = new Set(
    ids.filter((id) => {
      const { state, failedStep, early } = parts.get(id)?.step ?? {};
      if (failedStep !== undefined || early) return false; // it never had its turn
      return state === 'failed' || state === 'cancelled';
    }),
  );
  const marks = new Map<string, string>();
  const pieces: { queue: string; piece: Piece }[] = [];
  const put = (queue: string, ...piece: Piece) => pieces.push({ queue, piece });
  for (const id of retried) {
    const { queue, next } = parts.get(id)!;
    if (!next) continue;
    const node = seenFrom(queue, next);
    marks.set(id, `revive ${id} ${node}`);
    put(queue, 'again', id, node);
  }

  const because = ({ failedStep }: FlowStep) => failedStep !== undefined && retried.has(failedStep);
  const back = new Set<string>();
  const giveBack = (group: string): void => {
    back.add(group);
    const { queue, heads, next } = parts.get(group)!;
    put(queue, 'group', group, groupEntry(queue, heads!, next));
  };
  let revived = 0;
  let forgotten = false;
  const joins = new Set<string>();
  const seen = new Set<string>();
  const ahead = [...retried].flatMap((id) => parts.get(id)!.next ?? []);
  for (const { node } of ahead) {
    if (seen.has(node)) continue;
    seen.add(node);
    const [id, place] = node.split('/') as [string, string?];
    const { queue, next, step, heads } = parts.get(id)!;
    if (step) {
      if (step.state === 'waiting') throw busy(info.id);
      forgotten ||= step.state === 'unknown';
      if (because(step)) {
        put(queue, 'step', id, step.failedStep!);
        revived++;
      }
      if (next) ahead.push(next);
      continue;
    }
    if (!joins.has(id)) {
      joins.add(id);
      if (firstSteps(parts, next).some(because)) giveBack(id);
    }
    if (place !== undefined || heads!.length === 0) ahead.push(next!);
    if (place !== undefined) continue;
    if (heads!.flatMap((head) => firstSteps(parts, head)).some(because)) {
      put(queue, 'group', `${id}/`, headsEntry(info.home, heads!));
    }
    for (const head of heads!) ahead.push(head);
  }

  const before = new Map([...parts].flatMap(([id, { next }]) => (next ? [[next.node, id]] : [])));
  /** This part's end is told once more to the node that follows it, unless it is still to come. */
  const tell = (id: string): void => {
    const { queue, next, step, heads } = parts.get(id)!;
    if (step) {
      forgotten ||= step.state === 'unknown';
      if (!because(step) && !retried.has(id)) put(queue, 'member', id, seenFrom(queue, next));
      return;
    }
    if (back.has(id)) return;
    giveBack(id);
    if (heads!.length > 0) return tellMembers(id);
    // It had no members to wait for: its turn was its end.
    const earlier = before.get(id);
    if (earlier === undefined) put(queue, 'begin', id, '');
    else tell(earlier);
  };
  const tellMembers = (group: string): void => {
    const { heads } = parts.get(group)!;
    for (let i = 1; i <= heads!.length; i++) tell(before.get(`${group}/${i}`)!);
  };
  const onTheWay = [...back]; // those inside them are given back meanwhile
  for (const group of onTheWay) tellMembers(group);
  return { pieces, marks, revived, forgotten };
}

/** All steps and groups of the flow, by their nodes. */
function partsOf({ id, home, root, steps }: FlowInfo): Map<string, Part> {
  const parts = new Map<string, Part>();
  layOut<FlowStep>(
    root,
    { flow: id, total: steps.length, home },
    (step, node, next) => {
      parts.set(node, { queue: step.queue, next, step });
      return { queue: step.queue, node };
    },
    (group, heads, next) => parts.set(group, { queue: home, next, heads }),
  );
  return parts;
}

/** The steps that begin, or fail, with this node. */
function firstSteps(parts: ReadonlyMap<string, Part>, node: Node | undefined): FlowStep[] {
  if (!node) return [];
  const [id, place] = node.node.split('/') as [string, string?];
  const { step, next, heads } = parts.get(id)!;
  if (step) return [step];
  if (place !== undefined || heads!.length === 0) return firstSteps(parts, next);
  return heads!.flatMap((head) => firstSteps(parts, head));
}
