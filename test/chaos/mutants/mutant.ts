/**
 * A bug that is planted to see whether the tests notice it. It is a replaced piece of text, not a patch: it fits as
 * long as that piece stands in the file once, wherever that is.
 */
export interface Mutant {
  /** For `--only`: small letters and dashes. */
  readonly name: string;
  /** What goes wrong with it, in a line. */
  readonly what: string;
  /** In src. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  /** Tests that ought to notice, the likeliest first: `store/turn`, or one scene: `store/turn > a claim takes`. */
  readonly tests: readonly string[];
  /** The bug is a wait without end: a test that doesn't end in its time has noticed it. */
  readonly hangs?: true;
}

/** What is the matter with it, by the source it is for; undefined: it fits. */
export function misfit({ find, replace }: Mutant, source: string): string | undefined {
  const times = source.split(find).length - 1;
  if (times !== 1) return `stands ${times} times in its file`;
  if (find === replace) return 'changes nothing';
  return undefined;
}
