/**
 * How a flow goes on, by its promises: each step gives its result to what follows it, once; a group gives the array of
 * its members' results when the last one is there; what fails, fails all after it with its own error.
 */
import type { Flow } from '../../../src/flow/flow.ts';
import { GATHERED } from '../../../src/flow/plan.ts';
import { recordOf } from '../../../src/job/record.ts';
import type { Lane, ModelQueue } from './queue.ts';

/** What comes after a step; it may live on another queue, and is told by a message then. */
export interface Next {
  readonly queue: string;
  /** As messages name it. */
  readonly name: string;
  go(at: ModelQueue, payload: string): void;
  fail(at: ModelQueue, origin: string, error: string): void;
}

export interface Message {
  readonly text: string;
  readonly to: string;
  readonly kind: string;
  readonly node: string;
  readonly payload: string;
  /** @returns the answer, where it is a question */
  carryOut(at: ModelQueue): string | void;
  /** How often it was brought. */
  delivered: number;
}

export interface FlowStep {
  readonly id: string;
  readonly queue: string;
  readonly json: string;
  readonly lane: Lane;
  readonly delay: number;
  /** Kept for so long; of the step without a function that stands for a group's result. */
  readonly gathersFor?: number;
  /** The last one on its queue: with it the flow's shape is forgotten. */
  readonly last: boolean;
  readonly next: Next | undefined;
}

export interface FlowGroup {
  readonly size: number;
  begun: boolean;
  results: (string | undefined)[];
  readonly next: Next | undefined;
}

export interface ModelFlow {
  readonly id: string;
  readonly steps: FlowStep[];
  readonly groups: { queue: string; group: FlowGroup }[];
  readonly first: Next;
  readonly firstPayload: string;
}

const NO_PAYLOAD = '';

/** On its own queue at once, on another's by a message. */
function reach(at: ModelQueue, to: Next, kind: string, payload: string, act: (at: ModelQueue) => void) {
  if (to.queue === at.name) return act(at);
  const node = `${to.queue}|${to.name}`;
  const text = `${kind} ${node} ${payload}`;
  at.outbox.push({ text, to: to.queue, kind, node: to.name, payload, carryOut: act, delivered: 0 });
} // prettier-ignore

function stepNode(step: FlowStep): Next {
  const self: Next = {
    queue: step.queue,
    name: step.id,
    go: (at, payload) =>
      reach(at, self, payload === NO_PAYLOAD ? 'begin' : 'go', payload, (home) => begin(home, step, payload)),
    fail: (at, origin, error) =>
      reach(at, self, 'fail', `${origin} ${error}`, (home) => {
        const job = home.jobs.get(step.id);
        if (job?.state === 'waiting') home.failedFor(job, origin, error);
      }),
  }; // prettier-ignore
  return self;
}

/** Its turn has come; what comes a second time finds it gone. */
function begin(home: ModelQueue, step: FlowStep, payload: string): void {
  const job = home.jobs.get(step.id);
  if (job?.state !== 'waiting') return;
  if (step.gathersFor !== undefined) {
    home.end(job, 'completed', `{"state":"completed","result":${payload}}`, step.gathersFor);
    return;
  }
  if (payload !== NO_PAYLOAD) {
    const record = JSON.parse(job.json) as { args: unknown[] };
    record.args.unshift(JSON.parse(payload));
    job.json = JSON.stringify(record);
  }
  job.enqueuedAt = home.now;
  job.begun = true;
  job.lane = step.lane;
  home.beginRuns(job);
  home.line(job, step.delay > 0 ? home.now + step.delay : 0);
}

function groupNode(queue: string, name: string, group: FlowGroup, heads: Next[]): Next {
  // Also of one that has failed meanwhile, for another member: what is left of it must not wait for ever.
  const open = () => !group.begun && (group.begun = true);
  const self: Next = {
    queue,
    name,
    go: (at, payload) =>
      reach(at, self, payload === NO_PAYLOAD ? 'begin' : 'go', payload, (home) => {
        if (!open()) return;
        if (heads.length === 0) {
          home.groups.delete(group);
          home.consequences.push(() => group.next?.go(home, '[]'));
        }
        for (const head of heads) head.go(home, payload);
      }),
    fail: (at, origin, error) =>
      reach(at, self, 'fail', `${origin} ${error}`, (home) => {
        if (!open()) return;
        if (heads.length === 0) {
          home.groups.delete(group);
          home.consequences.push(() => group.next?.fail(home, origin, error));
        }
        for (const head of heads) head.fail(home, origin, error);
      }),
  };
  return self;
}

/** A member's place among the results of its group: taken once; the last one makes the group's result. */
function placeNode(queue: string, name: string, group: FlowGroup, place: number): Next {
  const self: Next = {
    queue,
    name: `${name}/${place + 1}`,
    go: (at, payload) =>
      reach(at, self, 'go', payload, (home) => {
        if (!home.groups.has(group) || group.results[place] !== undefined) return;
        group.results[place] = payload;
        if (group.results.filter((each) => each !== undefined).length < group.size) return;
        home.consequences.push(() => {
          home.groups.delete(group);
          home.consequences.push(() => group.next?.go(home, `[${group.results.join(',')}]`));
        });
      }),
    fail: (at, origin, error) =>
      reach(at, self, 'fail', `${origin} ${error}`, (home) => {
        if (home.groups.delete(group)) home.consequences.push(() => group.next?.fail(home, origin, error)); // prettier-ignore
      }),
  };
  return self;
}

/** Lays a flow out, from its last step to its first: each must know what follows it. */
export function modelFlow(id: string, flow: Flow, total: number, home: string, gatherMs: number): ModelFlow {
  const steps: FlowStep[] = [];
  const groups: ModelFlow['groups'] = [];
  let number = total;

  const add = (step: Omit<FlowStep, 'id' | 'last'>): Next => {
    const last = !steps.some(({ queue }) => queue === step.queue);
    const numbered = { ...step, id: `${id}.${--number}`, last };
    steps.push(numbered);
    return stepNode(numbered);
  };
  const lay = (each: Flow, next: Next | undefined): Next => {
    if (each.kind === 'chain') {
      return each.steps.reduceRight((after: Next | undefined, one) => lay(one, after), next)!;
    }
    if (each.kind === 'step') {
      const { queue = home, delay = 0, priority: lane = 'normal' } = each.options;
      return add({ queue, delay, lane, json: recordOf(each.fn, each.args, each.options), next });
    }
    const name = `${id}*${groups.length}`;
    const group: FlowGroup = { size: each.members.length, begun: false, results: [], next };
    groups.push({ queue: home, group });
    const heads: Next[] = [];
    for (let i = each.members.length - 1; i >= 0; i--) {
      heads.unshift(lay(each.members[i]!, placeNode(home, name, group, i)));
    }
    return groupNode(home, name, group, heads);
  };
  const last: Next | undefined = endsInGroup(flow)
    ? add({ queue: home, lane: 'normal', delay: 0, json: recordOf(GATHERED, [], {}), gathersFor: gatherMs, next: undefined })
    : undefined;
  const first = lay(flow, last);
  return { id, steps: steps.reverse(), groups, first, firstPayload: NO_PAYLOAD };
} // prettier-ignore

const endsInGroup = (flow: Flow): boolean =>
  flow.kind === 'group' || (flow.kind === 'chain' && endsInGroup(flow.steps.at(-1)!));

/** Its entry among those that have not begun, as another queue asks and is answered about it. */
function partOf(flow: ModelFlow, queue: string): string {
  const fields = flow.groups.reduce((sum, { group }) => sum + (group.size > 0 ? 2 : 1), 0);
  const home = flow.groups[0]?.queue;
  const shape = flow.steps.some(({ queue }) => queue === home) ? 1 : 0;
  const total = Math.max(flow.steps.length, fields + shape, 1);
  return `${flow.id} ${total} ${flow.first.queue} ${queue}`;
}

/** A part whose flow has not begun in time, as this queue knows: the queue where it begins is asked whether it has. */
export function askAbout(at: ModelQueue, part: string): void {
  const [id, , first] = part.split(' ') as [string, string, string];
  const text = `ask ${first}|${part}`;
  const before = at.outbox.findIndex((message) => message.text === text);
  if (before >= 0) at.outbox.splice(before, 1);
  const carryOut = (asked: ModelQueue) => {
    const told = asked.outbox.findIndex((message) => message.text === `begun ${at.name}|${part}`);
    if (told >= 0) asked.outbox.push(...asked.outbox.splice(told, 1));
    const begun =
      told >= 0 ||
      [...asked.jobs.values()].some(({ step }) => step?.last && step.id.startsWith(`${id}.`));
    if (!begun) asked.building.set(`${id} gone`, asked.now + 24 * 3_600_000);
    // All flows of a history begin; who has not heard of it finds what says so.
    if (!begun && at.building.has(part)) throw new Error(`${id} has begun, and would be given up`);
    return begun ? 'begun' : 'gone';
  };
  at.outbox.push({
    text,
    to: first,
    kind: 'ask',
    node: id,
    payload: part.slice(id.length + 1),
    carryOut,
    delivered: 0,
  });
}

/** Writes down what a queue gets of a flow. Sent again it changes nothing. */
export function enqueueFlow(
  at: ModelQueue,
  flow: ModelFlow,
  begins: boolean,
  queues: readonly string[],
): void {
  const mine = flow.steps.filter(({ queue }) => queue === at.name);
  const known = mine.some(({ id }) => at.jobs.has(id));
  const fresh =
    !known &&
    (mine.length > 0 ||
      flow.groups.some(({ queue, group }) => queue === at.name && !at.groups.has(group)));
  if (!known) {
    for (const step of mine) at.create(step.id, step.json, 'normal', 1).step = step;
    for (const { queue, group } of flow.groups) {
      if (queue === at.name) at.groups.add(Object.assign(group, { begun: false, results: [] }));
    }
  }
  if (!begins && fresh) at.building.set(partOf(flow, at.name), at.now + 60_000);
  if (begins) {
    for (const to of queues.filter((name) => name !== at.name)) {
      const part = partOf(flow, to);
      const carryOut = (home: ModelQueue) => void home.building.delete(part);
      at.outbox.push({
        text: `begun ${to}|${part}`,
        to,
        kind: 'begun',
        node: flow.id,
        payload: part.slice(flow.id.length + 1),
        carryOut,
        delivered: 0,
      });
    }
    flow.first.go(at, flow.firstPayload);
  }
  at.drawConsequences();
}

/** Cancels what is not over of a flow. */
export function cancelFlow(at: ModelQueue, flow: ModelFlow): void {
  for (const { id } of [...flow.steps].reverse()) {
    const job = at.jobs.get(id);
    if (!job || job.outcome !== undefined) continue;
    if (job.state === 'active') at.want(job);
    else at.cancelled(job);
  }
  at.drawConsequences();
}
