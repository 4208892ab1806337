/** Waits for a condition instead of for luck. Rejects when it doesn't come true in time. */
export async function until(
  condition: () => unknown,
  { timeoutMs = 20_000, everyMs = 5, what = String(condition) } = {},
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
