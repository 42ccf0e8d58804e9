/**
 * Imported before anything of Apollo: without these, @apollo/gateway reports its use to Apollo and
 * probes for a cloud's metadata server at start, which takes seconds where there is none.
 */
process.env['APOLLO_TELEMETRY_DISABLED'] ??= 'true';
process.env['METADATA_SERVER_DETECTION'] ??= 'none';
