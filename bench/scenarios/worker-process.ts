/**
 * A worker of no-op jobs in a process of its own. Tells its parent when every slot is held at the gate, opens
 * the gate when told to, and then says every few milliseconds how many jobs it ran and what they cost.
 * Arguments: library, URL of Redis, concurrency, and the queue's name where there are several.
 */
import { LIBRARIES } from '../libraries.ts';
import { GATE } from './gated.ts';
import { signal } from './signal.ts';

/** Since the gate opened. */
export interface Done {
  jobs: number;
  cpuUs: number;
}

const REPORT_MS = 2;

const [library = '', url = '', concurrency = '', queue] = process.argv.slice(2);
const slots = Number(concurrency);
const { connect } = await LIBRARIES[library]!();
const lib = await connect(url, undefined, queue);

let gate = signal();
let held = 0;
let jobs = 0;
let told = 0;
let cpu = process.cpuUsage();

await lib.work(slots, (i) => {
  if (i === GATE) {
    if (++held === slots) process.send!('full');
    return gate.given;
  }
  jobs++;
  return i;
});

const reporting = setInterval(() => {
  if (jobs === told) return;
  told = jobs;
  const { user, system } = process.cpuUsage(cpu);
  process.send!({ jobs, cpuUs: user + system } satisfies Done);
}, REPORT_MS);

process.on('message', () => {
  [jobs, told, held, cpu] = [0, 0, 0, process.cpuUsage()];
  gate.give();
  gate = signal();
});
process.once('disconnect', async () => {
  clearInterval(reporting);
  setTimeout(() => process.exit(1), 5_000).unref();
  await lib.close();
});
process.send!('ready');
