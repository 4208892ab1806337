/** Moves of producers: jobs and flows, sent once or twice. */
import { chain, group, step, type Flow } from '../../../src/flow/flow.ts';
import { headOf, planFlow, type FlowPlan } from '../../../src/flow/plan.ts';
import { RUN_DEFAULTS } from '../../../src/job/checks.ts';
import type { NewJob } from '../../../src/job/record.ts';
import { enqueueFlow, modelFlow, type ModelFlow } from './flows.ts';
import { enqueue } from './life.ts';
import type { Move } from './move.ts';
import type { NewOne, QueueName, Shape } from './operations.ts';
import type { World } from './world.ts';

const HOME = 'q';

export function enqueueMove(world: World, queue: QueueName, wanted: readonly NewOne[]): Move {
  const jobs = wanted.map((each) => newJob(world, each));
  for (const { id, how } of jobs) {
    world.remember(queue, id);
    if (how.includes(' waiting '))
      for (const n of [1, 2]) world.remember(queue, `${id}:again:${n}`);
  }
  world.calls.push({ queue, jobs });
  return sent(world, queue, jobs, 'enqueue');
}

function newJob(world: World, { id: given, unique, lane, due }: NewOne): NewJob {
  const number = world.number();
  const id = given === 'new' ? `j${number}` : given;
  const plain = given === 'new' && lane === 'normal' && due === 0;
  const mode = given === 'new' ? '-' : unique;
  const at = due === 'at' ? world.clock.now + 1_500 : due;
  return {
    id,
    how: plain ? '' : `${lane[0]} ${mode} ${at}`,
    json: `{"fn":"f","args":[],"call":${number}}`,
  };
}

export function enqueueAgainMove(world: World, pick: number): Move | undefined {
  const call = world.calls.at(-1 - (pick % Math.max(1, world.calls.length)));
  return call && sent(world, call.queue, call.jobs, 'enqueue again');
}

function sent(world: World, queue: QueueName, jobs: readonly NewJob[], what: string): Move {
  const titles = jobs.map(({ id, how }) => (how ? `${id} (${how})` : id));
  return {
    title: `${what} on ${queue}: ${titles.join(', ')}`,
    queue,
    expected: enqueue(world.queues[queue], jobs),
    send: async (real) => {
      const { refused, renamed } = await real.store(queue).enqueue(jobs);
      return { refused: [...refused], renamed: [...renamed] };
    },
  };
}

export function enqueueFlowMoves(world: World, shape: Shape): Move[] {
  const { groups, steps } = sizeOf(shape);
  const cost = groups * 50 + steps * 3;
  if (cost > world.flowBudget) return [];
  world.flowBudget -= cost;
  const built = flowOf(shape);
  const head = headOf(built, HOME);
  const id = `F${world.number()}`;
  const last = { ...head.last, id: `${id}.${head.total - 1}` };
  const plan = planFlow(built, HOME, {}, { ...head, flow: id, last });
  const flow = modelFlow(id, built, head.total, HOME, RUN_DEFAULTS.resultTtl);
  for (const { id, queue } of flow.steps) world.remember(queue as QueueName, id);
  world.flows.push({ flow, plan, title: titleOf(shape) });
  return flowMoves(world, flow, plan, `enqueue flow ${id}: ${titleOf(shape)}`);
}

export function enqueueFlowAgainMoves(world: World, pick: number): Move[] {
  const sent = world.flows.at(-1 - (pick % Math.max(1, world.flows.length)));
  if (!sent) return [];
  // Of a flow that is forgotten in part, on one of several queues, a call sent again would bring that part back.
  const { flow, plan, title } = sent;
  const gone = flow.steps.some(({ id, queue }) => !world.queues[queue as QueueName].jobs.has(id));
  if (gone && plan.parts.size > 1) return [];
  return flowMoves(world, flow, plan, `enqueue flow ${flow.id} again: ${title}`);
}

/** The part of each queue is a call of its own; where the flow begins comes last. */
function flowMoves(world: World, flow: ModelFlow, plan: FlowPlan, title: string): Move[] {
  return [...plan.parts].map(([name, part]) => {
    const queue = name as QueueName;
    const begins = name === plan.start.queue;
    enqueueFlow(world.queues[queue], flow, begins, [...plan.parts.keys()]);
    return {
      title: plan.parts.size > 1 ? `${title} (the part of ${queue})` : title,
      queue,
      send: (real) => real.store(queue).flows.enqueue(plan, part),
      coming: begins ? [] : flow.steps.map(({ id }) => id),
    };
  });
}

function flowOf(shape: Shape): Flow {
  switch (shape) {
    case 's':
      return step('s', [1]);
    case 'd':
      return step('d', [], { delay: 1_000 });
    case 'h':
      return step('h', [], { priority: 'high' });
    case 'r':
      return step('r', [2], { queue: 'r' });
    default:
      return 'c' in shape ? chain(...shape.c.map(flowOf)) : group(shape.g.map(flowOf));
  }
}

function sizeOf(shape: Shape): { groups: number; steps: number } {
  if (typeof shape === 'string') return { groups: 0, steps: 1 };
  const inside = ('c' in shape ? shape.c : shape.g).map(sizeOf);
  const sum = (what: 'groups' | 'steps') => inside.reduce((all, each) => all + each[what], 0);
  return { groups: sum('groups') + ('g' in shape ? 1 : 0), steps: sum('steps') + 1 };
}

function titleOf(shape: Shape): string {
  if (typeof shape === 'string') return shape;
  return 'c' in shape ? shape.c.map(titleOf).join(' > ') : `[${shape.g.map(titleOf).join(', ')}]`;
}
