/** What a command is, and how what was given to it is read. */
import { parseArgs, type ParseArgsConfig } from 'node:util';
import { InvalidArgumentError } from '../job/errors.ts';

export interface Command {
  /** Printed by `--help`. The options it names are those that are taken: with a value where it shows one. */
  readonly help: string;
  /** Fewest and most words beside the options; none where it isn't said. */
  readonly words?: readonly [number, number];
  /** @returns the exit code */
  run(given: Given): Promise<number>;
}

/** Options of many commands, as they stand in the help. */
export const QUEUE = '  --queue name       the queue (default: default)\n';
/** Where a command is about one job. */
export const QUEUE_OF =
  '  --queue name       the queue (default: the one that has it, of all that are used)\n';
export const QUEUES =
  '  --queue name       a queue; may be repeated (default: all that are used)\n';
export const json = (form: string): string => `  --json             print JSON: ${form}\n`;

/** What every command takes, in its help. */
const EVERYWHERE = `  --redis url        where Redis is (default: of the config file, else MINQ_REDIS_URL, else REDIS_URL)
  --prefix text      first part of every key (default: of the config file, else minq)
  --config file      the config file (default: minq.config.ts, .js or .mjs, if one is here)
`;

/** Exit code where the command line is wrong; an `InvalidArgumentError` says how. */
export const WRONG_USAGE = 2;

/** Each of them asks a process to end. */
export const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

/** The words and options of a command line. */
export class Given {
  readonly words: readonly string[];
  readonly #options: Readonly<Record<string, unknown>>;

  constructor(words: readonly string[], options: Readonly<Record<string, unknown>>) {
    this.words = words;
    this.#options = options;
  }

  get json(): boolean {
    return this.has('json');
  }

  has(name: string): boolean {
    return this.#options[name] !== undefined;
  }

  /** All values of an option that may be repeated. */
  texts(name: string): string[] {
    return (this.#options[name] as string[] | undefined) ?? [];
  }

  /** Of an option given twice, the last value counts. */
  text(name: string): string | undefined {
    return this.texts(name).at(-1);
  }

  number(name: string): number | undefined {
    const text = this.text(name);
    return text === undefined ? undefined : toNumber(text, `--${name}`);
  }
}

export async function runCommand(command: Command, argv: string[]): Promise<number> {
  const { help, words: [fewest, most] = [0, 0] } = command;
  const given = parse(help + EVERYWHERE, argv);
  if (given.has('help')) {
    process.stdout.write(`${help.trimEnd()}\n\nOf every command:\n\n${EVERYWHERE}`);
    return 0;
  }
  const { words } = given;
  if (words.length >= fewest && words.length <= most) return command.run(given);
  const what =
    words.length < fewest ? 'an argument is missing' : `"${words[most]}" is one too many`;
  throw new InvalidArgumentError(`${what}; ${help.split('\n', 1)[0]}`);
}

function parse(help: string, argv: string[]): Given {
  const options: NonNullable<ParseArgsConfig['options']> = {
    help: { type: 'boolean', short: 'h' },
    verbose: { type: 'boolean' },
  };
  for (const [, name, value] of help.matchAll(/^ {2}--([\w-]+)( \S)?/gm)) {
    options[name!] = value ? { type: 'string', multiple: true } : { type: 'boolean' };
  }
  if (options['yes']) options['yes'].short = 'y';
  try {
    const { values, positionals } = parseArgs({ args: argv, options, allowPositionals: true });
    return new Given(positionals, values);
  } catch (error) {
    // parseArgs names the option; its hints on `--` don't help here.
    throw new InvalidArgumentError((error as Error).message.split(/\.\s/)[0]!);
  }
}

export function toNumber(text: string, name: string): number {
  if (!/^\d{1,9}$/.test(text)) {
    throw new InvalidArgumentError(`${name}: ${JSON.stringify(text)} is no whole number`);
  }
  return Number(text);
}
