/** Ticks against Debian's cron: every pattern, and many drawn ones. */
import { agreesWithDebian, DENSE, PATTERNS } from './debian.ts';

agreesWithDebian({ patterns: PATTERNS, dense: DENSE, drawn: 8, moments: 500 });
