import type { FastifyInstance } from 'fastify';
import type { Health } from './health.ts';
import type { Metrics } from './metrics.ts';
import type { ProcessContext } from './run-process.ts';
import type { SettingsTable } from './settings/settings.ts';

/** Dependencies that all parts of one service share. */
export interface Service<T extends SettingsTable = SettingsTable> extends ProcessContext<T> {
  readonly health: Health;
  readonly metrics: Metrics;
  /** The HTTP server. It starts to listen after all routes are added and all parts are started. */
  readonly app: FastifyInstance;
}
