import { type Authentication, createAuthentication } from '@gudang/auth';
import type { AuthSettings, authSettings } from '@gudang/auth/settings';
import type { ProcessContext, Service } from '@gudang/runtime';
import {
  createHealth,
  createHttpServer,
  createMetrics,
  maskErrors,
  startHttp,
} from '@gudang/runtime';
import type { Setting, SettingsTable } from '@gudang/runtime/settings';
import { refuseAddress } from './rest/serve-rest.ts';

/** Dependencies that all parts of one subgraph share. */
export interface SubgraphService<T extends SettingsTable = SettingsTable> extends Service<T> {
  readonly auth: Authentication;
  /** Whether an error means that the database is unavailable, so that the same request may succeed later. */
  readonly isOutage: (error: unknown) => boolean;
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
  isOutage: (error: unknown) => boolean,
  start: (service: SubgraphService<T>) => void | Promise<void>,
): Promise<void> {
  const { name, settings, log, started } = context;
  const health = createHealth();
  const metrics = createMetrics(name);
  const app = createHttpServer({ health, metrics, frameworkErrors: refuseAddress(log, isOutage) });
  const auth = createAuthentication(settings as AuthSettings & { HOST: string }, log);
  maskErrors(app, log, isOutage);
  await start({ ...context, health, metrics, auth, app, isOutage });
  const { HOST, PORT, DRAIN_MS } = settings as { HOST: string; PORT: number; DRAIN_MS: number };
  const listening = { host: HOST, port: PORT, drainMs: DRAIN_MS };
  started('http', await startHttp({ app, ...listening, log, health }));
}
