/** Metrics as Prometheus reads them: text exposition format 0.0.4. Pure: numbers in, text out. */
import { BOUNDS_MS, type Histogram } from '../store/buckets.ts';

export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** Name, type and meaning of what is measured; its series differ by their labels. */
export interface Metric {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
}

export type Labels = Readonly<Record<string, string>>;

/** Upper bounds of the buckets in seconds, as labels. */
const BOUNDS = [...BOUNDS_MS.map((ms) => String(ms / 1_000)), '+Inf'];

/** One answer to a scrape. Metrics come in the order in which they were first added to. */
export class MetricsPage {
  readonly #metrics = new Map<Metric, Map<string, string>>();

  /**
   * Adds one series. What is no number is left out, and so is a second series with the same labels: a scrape that holds
   * either is refused as a whole.
   */
  add(metric: Metric, labels: Labels, value: number | Histogram | undefined): void {
    const text = pairsOf(labels);
    const lines =
      metric.type === 'histogram'
        ? histogramLines(metric.name, text, value as Histogram)
        : sampleLine(metric.name, text, value);
    if (lines === '') return;
    const series = this.#metrics.get(metric) ?? new Map<string, string>();
    this.#metrics.set(metric, series);
    if (!series.has(text)) series.set(text, lines);
  }

  toString(): string {
    let page = '';
    for (const [{ name, type, help }, series] of this.#metrics) {
      page += `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${type}\n`;
      for (const lines of series.values()) page += lines;
    }
    return page;
  }
}

/** @param value may be anything: what workers say of themselves is not checked before */
function sampleLine(name: string, pairs: string, value: unknown): string {
  if (typeof value !== 'number' || !Number.isFinite(value)) return '';
  return pairs === '' ? `${name} ${value}\n` : `${name}{${pairs}} ${value}\n`;
}

/** Each bucket counts what is in those before it too, the last one everything. */
function histogramLines(name: string, pairs: string, { counts, sumMs }: Histogram): string {
  let lines = '';
  let count = 0;
  for (const [i, le] of BOUNDS.entries()) {
    count += counts[i] ?? 0;
    lines += sampleLine(`${name}_bucket`, joined(pairs, `le="${le}"`), count);
  }
  lines += sampleLine(`${name}_sum`, pairs, Math.round(sumMs * 1_000) / 1e6);
  return lines + sampleLine(`${name}_count`, pairs, count);
}

const joined = (...pairs: string[]) => pairs.filter((pair) => pair !== '').join(',');

const pairsOf = (labels: Labels): string =>
  joined(...Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`));

const escapeHelp = (text: string): string => text.replace(/\\/g, '\\\\').replace(/\n/g, '\\n');

/** Half a surrogate pair has no place in UTF-8. */
const escapeLabel = (text: string): string =>
  escapeHelp(String(text).replace(/\p{Cs}/gu, '\ufffd')).replace(/"/g, '\\"');
