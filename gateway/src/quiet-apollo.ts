/**
 * Import this module before any Apollo library. Without these settings, @apollo/gateway reports
 * usage to Apollo. It also probes for a cloud's metadata server at start, which takes seconds if
 * there is none.
 */
process.env['APOLLO_TELEMETRY_DISABLED'] ??= 'true';
process.env['METADATA_SERVER_DETECTION'] ??= 'none';
