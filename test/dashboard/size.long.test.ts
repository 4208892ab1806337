/** What a page costs with very many jobs. */
import { staysSmall } from './size.ts';

staysSmall({ waiting: 1_000_000, failed: 10_000 });
