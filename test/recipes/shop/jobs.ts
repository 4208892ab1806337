/** An order: charge the card; then label and receipt side by side; then done. What fails for good gives the stock back. */
import { currentJob, Fail, job } from 'minq';

const SERVICES = process.env['SERVICES_URL'];

/** Calls one of the services. What it refuses is over, what it can't do now is tried again. */
async function call(path: string, body: object): Promise<Record<string, string>> {
  const { id, meta, log, signal } = currentJob();
  const trace = meta['trace'] ?? '';
  log.info('calling', { path, trace });
  const response = await fetch(`${SERVICES}${path}`, {
    method: 'POST',
    // The same job, however often it runs: a service that knows the key does the work once.
    headers: { 'content-type': 'application/json', 'idempotency-key': id, 'x-trace': trace },
    body: JSON.stringify(body),
    signal,
  });
  if (response.status >= 400 && response.status < 500) throw new Fail(await response.text());
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return (await response.json()) as Record<string, string>;
}

const patient = {
  retries: 10,
  backoff: { type: 'exponential', delay: '50ms', max: '1m' },
  timeout: '5s',
} as const;

export interface Order {
  id: string;
  card: string;
  amount: number;
}

export const charge = job({ ...patient, onFailure: 'releaseStock' }, async (order: Order) => {
  const { charge: id } = await call('/charges', { card: order.card, amount: order.amount });
  return { order: order.id, charge: id! };
});
type Charged = { order: string; charge: string };

export const printLabel = job(
  patient,
  async ({ order }: Charged) => (await call('/labels', { order }))['label']!,
);
export const sendReceipt = job(
  patient,
  async ({ order, charge: id }: Charged) =>
    (await call('/receipts', { order, charge: id }))['receipt']!,
);
export const complete = job(patient, async ([label, receipt]: string[]) => {
  await call('/completed', { label, receipt });
  return { label: label!, receipt: receipt! };
});

/** Named by `onFailure`: gets what failed. */
export const releaseStock = job(patient, async ({ args }: { args: [Order] }) => {
  await call('/stock', { order: args[0].id });
});

/** Every quarter of an hour: what the bank has and the shop doesn't know of. */
export const reconcile = job({ ...patient, cron: '*/15 * * * *' }, async () => {
  await call('/reconciled', { at: currentJob().tick!.toISOString() });
});
