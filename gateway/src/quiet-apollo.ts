/**
 * Turns off the telemetry of Apollo's libraries and the detection of a metadata server. Import this
 * module before any Apollo library. Otherwise, @apollo/gateway would report usage to Apollo, and
 * would probe for a cloud's metadata server at start, which takes seconds if there is none.
 */
process.env['APOLLO_TELEMETRY_DISABLED'] ??= 'true';
process.env['METADATA_SERVER_DETECTION'] ??= 'none';
