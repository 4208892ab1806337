const DEEPEST = 20;

/** JSON indented, where it is whole; else as it is. Done on the text: numbers keep their digits, names their order. */
export function indented(json: string): string {
  try {
    JSON.parse(json);
  } catch {
    return json;
  }
  const out: string[] = [];
  let depth = 0;
  let opened = false;
  const line = (): void => void out.push('\n', '  '.repeat(Math.min(depth, DEEPEST)));
  for (const [token] of json.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{},:]|[^\s"[\]{},:]+/g)) {
    const closes = token === '}' || token === ']';
    if (closes) depth--;
    // What is empty stays on one line.
    if (closes ? !opened : opened) line();
    out.push(token === ':' ? ': ' : token);
    opened = token === '{' || token === '[';
    if (opened) depth++;
    if (token === ',') line();
  }
  return out.join('');
}
