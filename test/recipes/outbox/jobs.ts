/** What follows from an order. Appends a line, so that one can count how often it ran. */
import { appendFile } from 'node:fs/promises';

export async function shipOrder(order: number) {
  await appendFile(process.env['SHIPPED']!, `${order}\n`);
}
