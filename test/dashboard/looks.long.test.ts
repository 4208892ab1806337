/** How the pages look in every kind of window. */
import { looksWell } from './looks.ts';

looksWell([
  { colorScheme: 'light', width: 360 },
  { colorScheme: 'light', width: 1280 },
  { colorScheme: 'dark', width: 360 },
  { colorScheme: 'dark', width: 1280 },
]);
