/** What a page costs, with more jobs than any page looks through. (With very many: `size.long.test.ts`.) */
import { staysSmall } from './size.ts';

staysSmall({ waiting: 20_000, failed: 1_000 });
