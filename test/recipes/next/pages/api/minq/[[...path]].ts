/** The dashboard answers on Node's request and response: so it is a route of `pages`, which has these. */
import { dashboard } from 'minq/dashboard';

export const config = { api: { bodyParser: false, externalResolver: true } };
export default dashboard({ basePath: '/api/minq', token: process.env['ADMIN_TOKEN'] ?? '' });
