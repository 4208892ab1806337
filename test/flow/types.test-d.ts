/**
 * What the compiler must accept and refuse of flows. Compiled by `npm run typecheck`, never run; compare
 * types.test-d.ts.
 */
import { chain, chord, group, step, type Chain, type Flow, type Group, type Step } from '../../src/flow/flow.ts'; // prettier-ignore
import type { Job } from '../../src/index.ts';
import type {
  AnyJobs,
  CheckedFlow,
  EnqueueRest,
  FlowResult,
  JobName,
  JobResult,
  NotEnqueueable,
} from '../../src/queue/signature.ts';
import type * as jobs from '../fixtures/types/flow-jobs.ts';

type Equal<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(_equal: Equal<A, B>): void {}

interface Queue<Jobs = AnyJobs> {
  enqueue<N extends JobName<Jobs>>(
    fn: N,
    ...rest: EnqueueRest<Jobs[N]>
  ): Promise<Job<JobResult<Jobs[N]>>>;
  enqueue<const F>(flow: CheckedFlow<Jobs, F>): Promise<Job<FlowResult<Jobs, F>>>;
}
declare const queue: Queue<typeof jobs>;
declare const untyped: Queue;
type ResultOf<Enqueued> = Enqueued extends Promise<Job<infer Result>> ? Result : never;
/** What the message says of a flow; `undefined` when it is accepted. */
type Refused<F> =
  CheckedFlow<typeof jobs, F> extends NotEnqueueable<infer Reason, unknown, unknown>
    ? Reason
    : undefined;

declare const files: string[];
declare const page: { url: string; links: string[]; fetched: string };

// ---- What the constructors keep ---------------------------------------------------------------

same<typeof one, Step<'one', readonly []>>(true);
const one = step('one');
same<typeof late, Step<'one', readonly []>>(true);
const late = step('one', undefined, { delay: '5s', queue: 'other' });
same<typeof resizeA, Step<'resize', readonly ['a', 2, 'fit']>>(true);
const resizeA = step('resize', ['a', 2, 'fit'], { retries: 1 });
same<typeof two, Chain<readonly [Step<'one', readonly []>, Step<'inc', readonly []>]>>(true);
const two = chain(step('one'), step('inc'));
same<typeof both, Group<readonly [Step<'one', readonly []>, Step<'ping', readonly []>]>>(true);
const both = group([step('one'), step('ping')]);
same<typeof each, Group<Step<'resize', readonly [string, 100]>[]>>(true);
const each = group(files.map((file) => step('resize', [file, 100])));
same<typeof joined, Chain<readonly [typeof both, Step<'json', readonly []>]>>(true);
const sizes = group(files.map((file) => step('size', [file])));
const joined = chord([step('one'), step('ping')], step('json'));
const kept: Flow[] = [one, two, both, each, joined];

// @ts-expect-error each time a flow is enqueued, its steps get new ids
step('one', [], { id: 'x' });
// @ts-expect-error so there is nothing to be unique by
step('one', [], { unique: 'kept' });
// @ts-expect-error a flow may be enqueued at any time
step('one', [], { runAt: new Date() });
// @ts-expect-error unknown option
step('one', [], { dealy: 1 });
// @ts-expect-error not an array
step('one', 1);
// @ts-expect-error a name is no step
chain('one');
// @ts-expect-error nor is a promise of a job
group([queue.enqueue('one')]);
// @ts-expect-error members are one array
group(step('one'), step('inc'));
// @ts-expect-error a callback is one flow
chord([step('one')], [step('inc')]);

// ---- Steps alone: as with enqueue(fn, args) ------------------------------------------------------

void queue.enqueue(step('ping'));
void queue.enqueue(step('add', [1, 2]));
void queue.enqueue(step('resize', ['a', 1]));
void queue.enqueue(step('resize', ['a', 1, undefined]));
void queue.enqueue(step('withDefault'));
void queue.enqueue(step('sum', [1, 2, 3]));
void queue.enqueue(step('sum', [] as number[]));
void queue.enqueue(step('mixed', ['a', { mode: 'fit', tags: ['x', 'y'] }]));
void queue.enqueue(step('either', [new Date()]));
void queue.enqueue(step('storePage', [page]));
void queue.enqueue(step('open', [new Map()]));
void queue.enqueue(step('anything', [{ whatever: 1 }]));
void queue.enqueue(step('eitherWay', ['a']));
void queue.enqueue(step('eitherWay', [1, true]));
void queue.enqueue(step('strings', [files]));
// @ts-expect-error no such function
void queue.enqueue(step('ad', [1, 2]));
// @ts-expect-error a class is no job
void queue.enqueue(step('NotAJob'));
// @ts-expect-error a number is no job
void queue.enqueue(step('alsoNotAJob'));
// @ts-expect-error too few
void queue.enqueue(step('add', [1]));
// @ts-expect-error none at all
void queue.enqueue(step('add'));
// @ts-expect-error too many
void queue.enqueue(step('add', [1, 2, 3]));
// @ts-expect-error of the wrong type
void queue.enqueue(step('add', [1, '2']));
// @ts-expect-error another word
void queue.enqueue(step('resize', ['a', 1, 'stretch']));
// @ts-expect-error a Date arrives as a string
void queue.enqueue(step('onlyDate', [new Date()]));
// @ts-expect-error of unknown length
void queue.enqueue(step('add', [] as number[]));
// @ts-expect-error neither of both
void queue.enqueue(step('eitherWay', [1]));

same<Refused<Step<'ad'>>, "there is no job 'ad'">(true);
same<Refused<Step<'add', readonly [1]>>, "the arguments of 'add' do not fit">(true);
same<Refused<Step<'add', readonly [1, 2]>>, undefined>(true);
same<Refused<Step<string, readonly []>>, 'the type of this flow does not name its functions: let it be inferred'>(true); // prettier-ignore
same<Refused<Flow>, 'the type of this flow does not name its functions: let it be inferred'>(true);
same<Refused<Chain>, 'the type of this flow does not name its functions: let it be inferred'>(true);
same<Refused<Group>, 'the type of this flow does not name its functions: let it be inferred'>(true);

// ---- Chains: the result comes first ------------------------------------------------------------

void queue.enqueue(chain(step('one'), step('inc'), step('text'), step('size')));
void queue.enqueue(chain(step('one'), step('add', [2])));
void queue.enqueue(chain(step('add', [1, 2]), step('half'), step('add', [2])));
void queue.enqueue(chain(step('word'), step('resize', [100, 'fill'])));
void queue.enqueue(chain(step('word'), step('labelled', [1])));
void queue.enqueue(chain(step('word'), step('mixed', [{ mode: 'fit', tags: [] }])));
void queue.enqueue(chain(step('one'), step('sum', [2, 3])));
void queue.enqueue(chain(step('word'), step('eitherWay')));
void queue.enqueue(chain(step('one'), step('eitherWay', [true])));
void queue.enqueue(chain(step('frozen'), step('strings')));
same<Refused<[Chain<[Step<'one', []>, Step<'size', []>]>][0]>, "the result of 'one' does not fit the first parameter of 'size'">(true); // prettier-ignore
// @ts-expect-error a number is no string
void queue.enqueue(chain(step('one'), step('size')));
// @ts-expect-error the first has nothing before it
void queue.enqueue(chain(step('inc'), step('inc')));
// @ts-expect-error too few beside the result
void queue.enqueue(chain(step('one'), step('add')));
// @ts-expect-error too many beside the result
void queue.enqueue(chain(step('one'), step('add', [1, 2])));
// @ts-expect-error of the wrong type beside the result
void queue.enqueue(chain(step('one'), step('add', ['2'])));
// @ts-expect-error it takes nothing
void queue.enqueue(chain(step('one'), step('ping')));
// @ts-expect-error neither way
void queue.enqueue(chain(step('one'), step('eitherWay')));
// @ts-expect-error no such function at the end
void queue.enqueue(chain(step('one'), step('inc'), step('nothing')));
same<Refused<Chain<[Step<'one', []>, Step<'ping', []>]>>, "'ping' takes no arguments, but is handed the result of 'one'">(true); // prettier-ignore
same<Refused<Chain<[Step<'one', []>, Step<'add', []>]>>, "the arguments of 'add' after the result of 'one' do not fit">(true); // prettier-ignore
same<Refused<Chain<[Step<'one', []>, Step<'size', []>, Step<'no', []>]>>, "the result of 'one' does not fit the first parameter of 'size'">(true); // prettier-ignore

// As JSON brings it.
void queue.enqueue(chain(step('now'), step('size')));
void queue.enqueue(chain(step('now'), step('either')));
void queue.enqueue(chain(step('fetchPage', ['http://a']), step('storePage')));
// @ts-expect-error a Date arrives as a string
void queue.enqueue(chain(step('now'), step('onlyDate')));
// @ts-expect-error a Date inside, too
void queue.enqueue(chain(step('fetchPage', ['http://a']), step('needsDate')));
// @ts-expect-error methods stay behind
void queue.enqueue(chain(step('account'), step('greetBy')));
void queue.enqueue(chain(step('account'), step('nameOf')));

// No result is null.
void queue.enqueue(chain(step('ping'), step('after')));
void queue.enqueue(chain(step('touch'), step('after')));
void queue.enqueue(chain(step('ping'), step('anything')));
void queue.enqueue(chain(step('maybe'), step('optional')));
void queue.enqueue(chain(step('perhaps'), step('optional')));
// @ts-expect-error null is no number
void queue.enqueue(chain(step('ping'), step('inc')));
// @ts-expect-error nor does it make a default apply
void queue.enqueue(chain(step('ping'), step('withDefault')));
// @ts-expect-error it may be null
void queue.enqueue(chain(step('maybe'), step('size')));
// @ts-expect-error it may be null
void queue.enqueue(chain(step('perhaps'), step('size')));

// any, unknown, never.
void queue.enqueue(chain(step('loose'), step('size')));
void queue.enqueue(chain(step('dark'), step('anything')));
void queue.enqueue(chain(step('dark'), step('open')));
void queue.enqueue(chain(step('fails'), step('size')));
// @ts-expect-error unknown may be anything
void queue.enqueue(chain(step('dark'), step('size')));

// ---- Groups ---------------------------------------------------------------------------------

void queue.enqueue(group([]));
void queue.enqueue(group([step('one'), step('ping'), step('add', [1, 2])]));
void queue.enqueue(each);
void queue.enqueue(chain(step('one'), group([step('inc'), step('text'), step('add', [5])])));
void queue.enqueue(chord([step('word'), step('one')], step('pair')));
void queue.enqueue(chord([step('one'), step('one'), step('half', [1])], step('sumAll')));
void queue.enqueue(
  chord(
    files.map((file) => step('size', [file])),
    step('sumAll'),
  ),
);
void queue.enqueue(chain(group([]), step('sumAll')));
void queue.enqueue(chord([step('ping'), step('maybe')], step('afterAll')));
void queue.enqueue(chord([step('word'), step('one')], group([step('pair'), step('anything')])));
// @ts-expect-error one member does not fit
void queue.enqueue(group([step('one'), step('add', [1])]));
// @ts-expect-error one member does not take what stands before
void queue.enqueue(chain(step('one'), group([step('inc'), step('size')])));
// @ts-expect-error each member is handed it
void queue.enqueue(chain(step('one'), group([step('inc'), step('ping')])));
// @ts-expect-error the other way round
void queue.enqueue(chord([step('one'), step('word')], step('pair')));
// @ts-expect-error too many results
void queue.enqueue(chord([step('word'), step('one'), step('one')], step('pair')));
// @ts-expect-error the array is one argument
void queue.enqueue(chord([step('one'), step('one')], step('add')));
// @ts-expect-error none of them is a number
void queue.enqueue(chain(each, step('sumAll')));
// @ts-expect-error unknown how many
void queue.enqueue(chain(sizes, step('pair')));
// @ts-expect-error no results are null
void queue.enqueue(chord([step('ping')], step('strings')));
// @ts-expect-error arguments of members of unknown number
void queue.enqueue(group(files.map((file) => step('resize', [file]))));
same<Refused<Chain<[Group<[Step<'one', []>]>, Step<'size', []>]>>, "the result of the group does not fit the first parameter of 'size'">(true); // prettier-ignore

// ---- Nesting ----------------------------------------------------------------------------------

void queue.enqueue(chain(chain(step('one'), step('inc')), step('text')));
void queue.enqueue(chain(step('one'), chain(step('inc'), step('text')), step('size')));
void queue.enqueue(group([chain(step('one'), step('text')), group([step('one'), step('word')])]));
void queue.enqueue(
  chord([chord([step('one'), step('one')], group([step('sumAll'), step('sumAll')])), step('word')], step('nested')), // prettier-ignore
);
void queue.enqueue(chain(step('one'), chord([step('inc'), step('half')], step('sumAll')), step('text'))); // prettier-ignore
// @ts-expect-error nothing stands before a chain at the start
void queue.enqueue(chain(chain(step('inc'), step('inc')), step('text')));
// @ts-expect-error what stands before a chain is for its first step
void queue.enqueue(chain(step('one'), chain(step('size'), step('text'))));
// @ts-expect-error the result of a chain is that of its last
void queue.enqueue(chain(chain(step('one'), step('text')), step('inc')));
// @ts-expect-error deep inside
void queue.enqueue(group([group([group([chain(step('one'), group([step('size')]))])])]));

// Chains and steps of unknown number and choice.
declare const flag: boolean;
void queue.enqueue(chain(step('one'), ...files.map(() => step('inc'))));
void queue.enqueue(flag ? step('one') : chain(step('one'), step('text')));
void queue.enqueue(chain(step(flag ? 'one' : 'now'), step('anything')));
// @ts-expect-error one of both does not fit
void queue.enqueue(chain(step(flag ? 'one' : 'now'), step('inc')));
// @ts-expect-error one of both does not fit
void queue.enqueue(flag ? step('one') : step('inc'));
// @ts-expect-error not when there are two of them
void queue.enqueue(chain(...files.map((file) => step('size', [file]))));
// @ts-expect-error what they are is lost
void queue.enqueue(kept[0]!);

// ---- Results ----------------------------------------------------------------------------------

const enqueued = {
  step: queue.enqueue(step('now')),
  page: queue.enqueue(step('fetchPage', ['a'])),
  void: queue.enqueue(chain(step('one'), step('inc'), step('notifyOf'))),
  chain: queue.enqueue(chain(step('one'), step('text'))),
  group: queue.enqueue(group([step('one'), step('now'), step('ping'), step('maybe')])),
  list: queue.enqueue(group(files.map((file) => step('size', [file])))),
  empty: queue.enqueue(group([])),
  chord: queue.enqueue(chord([step('word'), step('one')], step('pair'))),
  nested: queue.enqueue(group([two, group([step('word')]), chain(step('one'), group([step('inc'), step('text')]))])), // prettier-ignore
  either: queue.enqueue(flag ? step('one') : step('word')),
  some: queue.enqueue(chain(step('word'), ...files.map(() => step('optional')))),
};
type Result<N extends keyof typeof enqueued> = ResultOf<(typeof enqueued)[N]>;
same<Result<'step'>, string>(true);
same<Result<'page'>['fetched'], string>(true);
same<Result<'void'>, void>(true);
same<Result<'chain'>, string>(true);
same<Result<'group'>, [number, string, null, string | null]>(true);
same<Result<'list'>, number[]>(true);
same<Result<'empty'>, []>(true);
same<Result<'chord'>, string>(true);
same<Result<'nested'>, [number, [string], [number, string]]>(true);
same<Result<'either'>, number | string>(true);
same<Result<'some'>, string>(true);
same<Result<'chain'>, number>(false);

// ---- Beside enqueue(fn, args) --------------------------------------------------------------------

void queue.enqueue('ping');
void queue.enqueue('add', [1, 2], { delay: 1 });
same<ResultOf<ReturnType<typeof queue.enqueue<'one'>>>, number>(true);
// @ts-expect-error the arguments are missing
void queue.enqueue('add');
same<Refused<'add'>, "the arguments of 'add' are missing">(true);
// @ts-expect-error no such function
void queue.enqueue('ad');
same<Refused<'ad'>, "there is no job 'ad'">(true);
// @ts-expect-error no such function
void queue.enqueue('ad', [1, 2]);
// @ts-expect-error of the wrong type
void queue.enqueue('add', [1, '2']);
// @ts-expect-error options are given to the steps
void queue.enqueue(step('one'), [], { delay: 1 });
// @ts-expect-error it must be built
void queue.enqueue([step('one')]);
same<Refused<{ kind: 'step' }>, 'this is neither the name of a job nor a flow'>(true);

// ---- Without a type argument everything is accepted ------------------------------------------------

void untyped.enqueue(step('whatever', [1, new Map()]));
void untyped.enqueue(chain(step('a'), group([step('b'), step('c', [1])]), step('d')));
void untyped.enqueue(kept[0]!);
void untyped.enqueue(chain(...kept));
void untyped.enqueue(group(kept));
void untyped.enqueue('whatever', [1]);
declare const anyName: string;
void untyped.enqueue(chain(step(anyName, [] as unknown[]), step(anyName)));
same<FlowResult<AnyJobs, Step<'a'>>, any>(true);
same<FlowResult<AnyJobs, Group<[Step<'a'>, Step<'b'>]>>, [any, any]>(true);
same<FlowResult<AnyJobs, Flow>, unknown>(true);
// @ts-expect-error but it must be a flow
void untyped.enqueue({ kind: 'step' });

// ---- Size --------------------------------------------------------------------------------------

// prettier-ignore
void queue.enqueue(chain(step('one'), step('add', [0]), step('add', [1]), step('add', [2]), step('add', [3]), step('add', [4]), step('add', [5]), step('add', [6]), step('add', [7]), step('add', [8]), step('add', [9]), step('add', [10]), step('add', [11]), step('add', [12]), step('add', [13]), step('add', [14]), step('add', [15]), step('add', [16]), step('add', [17]), step('text')));
// @ts-expect-error the twentieth
// prettier-ignore
void queue.enqueue(chain(step('one'), step('add', [0]), step('add', [1]), step('add', [2]), step('add', [3]), step('add', [4]), step('add', [5]), step('add', [6]), step('add', [7]), step('add', [8]), step('add', [9]), step('add', [10]), step('add', [11]), step('add', [12]), step('add', [13]), step('add', [14]), step('add', [15]), step('add', [16]), step('add', [17]), step('size')));
// prettier-ignore
void queue.enqueue(chain(step('one'), group([step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('half')]), step('sumAll')));
// @ts-expect-error the hundredth
// prettier-ignore
void queue.enqueue(chain(step('one'), group([step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('inc'), step('size')]), step('sumAll')));

// ---- Types that are recursive, as that of any JSON --------------------------------------------

type AnyJson = string | number | boolean | null | AnyJson[] | { [key: string]: AnyJson };
interface Tree {
  value: number;
  children: Tree[];
}
declare const recursive: Queue<{
  keep: (value: AnyJson) => AnyJson;
  grow: (tree: Tree, by?: number) => Tree;
  count: (tree: Tree) => number;
}>;
void recursive.enqueue('keep', [{ a: [1, 'b', null] }]);
void recursive.enqueue('keep', [['x']]);
void recursive.enqueue('grow', [{ value: 1, children: [] }]);
// @ts-expect-error not JSON
void recursive.enqueue('keep', [() => 1]);
void recursive.enqueue(chain(step('keep', [[1, 2]]), step('keep')));
void recursive.enqueue(chain(step('grow', [{ value: 1, children: [] }]), step('grow', [2])));
same<ResultOf<ReturnType<typeof recursive.enqueue<'keep'>>>, AnyJson>(true);
