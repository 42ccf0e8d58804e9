import type { FastifyInstance } from 'fastify';
import { type Authentication, createAuthentication } from './auth/authentication.ts';
import { createHealth, type Health } from './health.ts';
import { hideErrors } from './http/hide-errors.ts';
import { createHttpServer, startHttp } from './http/http-server.ts';
import type { ProcessContext } from './lifecycle.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { refuseAddress } from './rest/serve-rest.ts';
import type { AuthSettings, authSettings } from './settings/auth-settings.ts';
import type { Setting, SettingsTable } from './settings/settings.ts';

/** What the parts of one service share. */
export interface Service<T extends SettingsTable = SettingsTable> extends ProcessContext<T> {
  readonly health: Health;
  readonly metrics: Metrics;
  readonly auth: Authentication;
  /** Its routes are added before it listens, which it does once all parts are started. */
  readonly app: FastifyInstance;
}

type ServiceTable = SettingsTable &
  typeof authSettings & {
    readonly HOST: Setting<string>;
    readonly PORT: Setting<number>;
    readonly DRAIN_MS: Setting<number>;
    readonly LOG_LEVEL: Setting<string>;
  };

/**
 * Starts a service that answers HTTP: `start` starts its parts, then it listens. Parts that wait for
 * a database or a broker do so in the background, so that `/healthz` and `/readyz` answer at once.
 */
export async function startService<T extends ServiceTable>(
  context: ProcessContext<T>,
  start: (service: Service<T>) => void | Promise<void>,
): Promise<void> {
  const { name, settings, log, started } = context;
  const health = createHealth();
  const metrics = createMetrics(name);
  const app = createHttpServer({ health, metrics, frameworkErrors: refuseAddress(log) });
  const auth = createAuthentication(settings as AuthSettings & { HOST: string }, log);
  hideErrors(app, log);
  await start({ ...context, health, metrics, auth, app });
  const { HOST, PORT, DRAIN_MS } = settings as { HOST: string; PORT: number; DRAIN_MS: number };
  const listening = { host: HOST, port: PORT, drainMs: DRAIN_MS };
  started('http', await startHttp({ app, ...listening, log, health }));
}
