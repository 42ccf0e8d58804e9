/**
 * Import before any Apollo library: without these settings, @apollo/gateway reports usage to Apollo and
 * probes for a cloud's metadata server at start, which takes seconds where there is none.
 */
process.env['APOLLO_TELEMETRY_DISABLED'] ??= 'true';
process.env['METADATA_SERVER_DETECTION'] ??= 'none';
