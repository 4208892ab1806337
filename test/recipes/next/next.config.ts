export default {
  /** Left where it is: minq finds its own files beside its code. */
  serverExternalPackages: ['minq'],
  /** The dashboard is at `/api/minq/`; Next would take the slash away, the dashboard would add it again, and so on. */
  skipTrailingSlashRedirect: true,
};
