/** What a long queue costs those who look at it. */
import { answersWith } from './backlog.ts';

answersWith(200_000);
