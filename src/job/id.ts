/** Ids: short, made by the client, so that an enqueue can be sent twice and still make one job. */

const ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
const ID_OF_PROCESS = randomText(11);
let counter = 1;

/** A short id no two clients make: 11 random characters of this process, then a counter. */
export function newId(): string {
  return ID_OF_PROCESS + (counter++).toString(36);
}

/** @returns `length` random characters of 0-9 a-z A-Z (5.95 bits each) */
export function randomText(length: number): string {
  const bytes = crypto.getRandomValues(new Uint8Array(length * 2));
  let text = '';
  for (const byte of bytes) {
    // 248 is the largest multiple of 62 in a byte: above it the choice would be uneven.
    if (byte < 248 && text.length < length) text += ALPHABET[byte % 62];
  }
  return text.length === length ? text : randomText(length);
}
