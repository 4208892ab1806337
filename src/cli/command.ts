/** What a command is, and how its arguments are read. */
import { parseArgs, type ParseArgsConfig } from 'node:util';
import { InvalidArgumentError } from '../job/errors.ts';
import { UsageError } from './usage.ts';

export interface Command {
  /** Printed by `--help`. */
  readonly help: string;
  readonly options: NonNullable<ParseArgsConfig['options']>;
  /** Fewest and most positional arguments. */
  readonly positionals: readonly [number, number];
  /** @returns the exit code */
  run(values: Values, positionals: string[]): Promise<number>;
}

export type Values = Record<string, string | boolean | (string | boolean)[] | undefined>;

/** Every command has them. */
const COMMON = {
  help: { type: 'boolean', short: 'h' },
  json: { type: 'boolean' },
  verbose: { type: 'boolean' },
} as const;

export async function runCommand(command: Command, argv: string[]): Promise<number> {
  const { values, positionals } = parse(command, argv);
  if (values['help']) {
    process.stdout.write(command.help);
    return 0;
  }
  const [fewest, most] = command.positionals;
  if (positionals.length < fewest || positionals.length > most) {
    const what =
      positionals.length < fewest
        ? 'an argument is missing'
        : `"${positionals[most]}" is one too many`;
    throw new UsageError(`${what}; ${command.help.split('\n', 1)[0]}`);
  }
  return command.run(values, positionals);
}

function parse(command: Command, argv: string[]): { values: Values; positionals: string[] } {
  try {
    return parseArgs({
      args: argv,
      options: { ...COMMON, ...command.options },
      allowPositionals: true,
    });
  } catch (error) {
    // parseArgs names the option; its hints on `--` don't help here.
    throw new UsageError((error as Error).message.split(/\.\s/)[0]!);
  }
}

/** The value of a numeric option. */
export function numberOption(values: Values, name: string): number | undefined {
  const text = values[name];
  if (text === undefined) return undefined;
  return toNumber(String(text), `--${name}`);
}

export function toNumber(text: string, name: string): number {
  if (!/^\d{1,9}$/.test(text)) {
    throw new InvalidArgumentError(`${name}: ${JSON.stringify(text)} is no whole number`);
  }
  return Number(text);
}
