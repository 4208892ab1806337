/** A strict reader of Prometheus's text format 0.0.4: throws at whatever a scrape would be refused for, or a linter would blame. */

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

interface Family {
  readonly type: string;
  readonly help: string;
  readonly samples: Sample[];
}

export class Exposition {
  readonly families = new Map<string, Family>();

  /** Values of the samples of this name with at least these labels. */
  values(name: string, labels: Record<string, string> = {}): number[] {
    return this.samples(name, labels).map(({ value }) => value);
  }

  /** The value of the one sample of this name with at least these labels. */
  value(name: string, labels: Record<string, string> = {}): number {
    const found = this.values(name, labels);
    if (found.length !== 1) {
      throw new Error(`${found.length} samples of ${name} ${JSON.stringify(labels)}`);
    }
    return found[0]!;
  }

  samples(name: string, labels: Record<string, string> = {}): Sample[] {
    return [...this.families.values()]
      .flatMap(({ samples }) => samples)
      .filter(
        (sample) =>
          sample.name === name &&
          Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
      );
  }
}

/** The same for the same labels in another order. */
const keyOf = (labels: Record<string, string>) =>
  JSON.stringify(Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1)));

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"/;
const NUMBER = /^-?\d+(\.\d+)?(e[+-]\d+)?$/;

export function parseExposition(text: string): Exposition {
  if (!text.endsWith('\n')) throw new Error('the last line does not end');
  const page = new Exposition();
  let current: { name: string; help: string; family?: Family } | undefined;
  const seen = new Set<string>();
  for (const line of text.slice(0, -1).split('\n')) {
    const fail = (why: string): never => {
      throw new Error(`${why}: ${line}`);
    };
    const help = /^# HELP (\S+) (.+)$/.exec(line);
    const type = /^# TYPE (\S+) (counter|gauge|histogram)$/.exec(line);
    if (help) {
      if (!NAME.test(help[1]!)) fail('no name of a metric');
      if (page.families.has(help[1]!)) fail('a second HELP');
      if (help[2]!.replace(/\\[\\n]/g, '').includes('\\')) fail('an unknown escape');
      current = { name: help[1]!, help: help[2]! };
    } else if (type) {
      if (current?.name !== type[1] || current?.family) fail('TYPE without its HELP before it');
      current!.family = { type: type[2]!, help: current!.help, samples: [] };
      page.families.set(type[1]!, current!.family);
    } else {
      const sample = parseSample(line) ?? fail('no sample');
      const suffix = current ? sample.name.slice(current.name.length) : '';
      const family = current?.family ?? fail('a sample without TYPE');
      if (!sample.name.startsWith(current!.name)) fail('a sample of another family');
      const suffixes = family.type === 'histogram' ? ['_bucket', '_sum', '_count'] : [''];
      if (!suffixes.includes(suffix)) fail(`"${suffix}" has no place in a ${family.type}`);
      const key = `${sample.name} ${keyOf(sample.labels)}`;
      if (seen.has(key)) fail('the series is there twice');
      seen.add(key);
      family.samples.push(sample);
    }
  }
  for (const [name, family] of page.families) checkFamily(name, family);
  return page;
}

function parseSample(line: string): Sample | undefined {
  const head = /^([^\s{]+)(\{)?/.exec(line);
  if (!head || !NAME.test(head[1]!)) return undefined;
  let rest = line.slice(head[0].length);
  const labels: Record<string, string> = {};
  if (head[2]) {
    for (;;) {
      const label = LABEL.exec(rest);
      if (!label || Object.hasOwn(labels, label[1]!)) return undefined;
      labels[label[1]!] = label[2]!.replace(/\\(.)/g, (_, c: string) => (c === 'n' ? '\n' : c));
      rest = rest.slice(label[0].length);
      if (rest.startsWith('}')) break;
      if (!rest.startsWith(',')) return undefined;
      rest = rest.slice(1);
    }
    rest = rest.slice(1);
  }
  if (!rest.startsWith(' ') || !NUMBER.test(rest.slice(1))) return undefined;
  return { name: head[1]!, labels, value: Number(rest.slice(1)) };
}

function checkFamily(name: string, { type, samples }: Family): void {
  const fail = (why: string): never => {
    throw new Error(`${name}: ${why}`);
  };
  if (samples.length === 0) fail('no samples');
  if ((type === 'counter') !== name.endsWith('_total')) fail(`its name is not that of a ${type}`);
  if (/counter|gauge|histogram|_(ms|millis|milliseconds|minutes|kb|mb)(_|$)/.test(name)) {
    fail('type or no base unit in the name');
  }
  if (type !== 'gauge' && samples.some(({ value }) => value < 0)) fail('less than nothing');
  if (type === 'histogram') checkHistogram(name, samples, fail);
}

function checkHistogram(name: string, samples: Sample[], fail: (why: string) => never): void {
  const series = new Map<
    string,
    { les: number[]; counts: number[]; sum?: number; count?: number }
  >();
  for (const { name: full, labels, value } of samples) {
    const { le, ...own } = labels;
    const key = keyOf(own);
    const one = series.get(key) ?? { les: [], counts: [] };
    series.set(key, one);
    if (full === `${name}_bucket`) {
      one.les.push(le === '+Inf' ? Infinity : Number(le ?? NaN));
      one.counts.push(value);
    } else if (le !== undefined) fail('le outside of a bucket');
    else if (full === `${name}_sum`) one.sum = value;
    else one.count = value;
  }
  for (const { les, counts, sum, count } of series.values()) {
    if (sum === undefined || count === undefined) fail('no sum, or no count');
    if (les.at(-1) !== Infinity) fail('no +Inf at the end');
    if (!les.every((le, i) => i === 0 || le > les[i - 1]!)) fail('bounds do not rise');
    if (!counts.every((n, i) => i === 0 || n >= counts[i - 1]!)) fail('buckets do not add up');
    if (counts.at(-1) !== count) fail('+Inf is not the count');
  }
}
