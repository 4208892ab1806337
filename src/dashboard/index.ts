export { dashboard, type Dashboard } from './handler.ts';
export type { DashboardOptions } from './settings.ts';
