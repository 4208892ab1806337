/** Ticks against Debian's cron: some patterns. (More of them: `property.long.test.ts`.) */
import { agreesWithDebian, DENSE, PATTERNS } from './debian.ts';

agreesWithDebian({
  patterns: PATTERNS.slice(0, 2),
  dense: DENSE.slice(1, 2),
  drawn: 1,
  moments: 60,
});
