import { join, relative } from 'node:path';
import { startKafka } from '../kafka/kafka.ts';
import { startPostgres } from '../postgres/postgres.ts';
import { type Supervised, supervise } from '../processes/supervise.ts';
import { rotate } from '../terminal/log-file.ts';
import { showWhile } from '../terminal/progress.ts';
import { adaptToOwnServers, type OwnServer } from '../terminal/service-line.ts';
import { terminal } from '../terminal/terminal.ts';
import { runMigrations } from './run-migrations.ts';
import { startService } from './service.ts';
import { type BackingServers, pidFileOf, type ServiceName, type Services } from './service-plan.ts';
import type { PartName, StartSettings } from './start-settings.ts';

/**
 * Deadlines of the steps of a stop, in milliseconds from the beginning of the stop. After a
 * deadline, the remaining parts of that step are killed. The whole stop takes at most 5 s. A step
 * may also use the time that earlier steps did not use. The subgraphs need this time: if a subgraph
 * is killed before it has left its consumer group, the first orders of the next start are delayed
 * by 6 s.
 */
const GATEWAY_STOPPED_MS = 1200;
const SUBGRAPHS_STOPPED_MS = 2500;
const SERVERS_STOPPED_MS = 4700;

/** The subjects of the lines about a part, and what still works while the part is restarted. */
const DESCRIPTIONS: Record<PartName, { title: string; meanwhile?: string }> = {
  gateway: { title: 'The gateway', meanwhile: 'Its clients reconnect.' },
  order: { title: 'The order subgraph' },
  stock: { title: 'The stock subgraph', meanwhile: 'Orders are accepted and decided later.' },
  postgres: { title: 'PostgreSQL' },
  kafka: { title: 'Kafka', meanwhile: 'Orders are accepted and decided later.' },
};

export interface SystemOptions {
  root: string;
  settings: StartSettings;
  services: Services;
  backing: BackingServers;
}

export interface System {
  /** Resolves when every part is ready. Rejects if a part cannot start. */
  ready: Promise<void>;
  /** Stops all parts in order: the gateway, the subgraphs, then Kafka and PostgreSQL. */
  stop(): Promise<void>;
}

/**
 * Starts PostgreSQL and Kafka in parallel (unless the settings name other servers), then the
 * subgraphs. The gateway does not wait for them and starts at once. Restarts each part that exits.
 */
export function startSystem({ root, settings, services, backing }: SystemOptions): System {
  const { directory, ports } = settings;
  const stopping = new AbortController();
  let reportStarted = () => {};
  const started = new Promise<void>((resolve) => {
    reportStarted = resolve;
  });
  const running = new Map<PartName, Supervised>();
  const begun = Date.now();
  const logFileOf = (name: PartName) => join(directory, 'logs', `${name}.log`);

  const keep = (name: PartName, start: Parameters<typeof supervise>[0]['start']) => {
    stopping.signal.throwIfAborted();
    const log = (line: string) => terminal.part(name, line);
    rotate(logFileOf(name));
    const part = supervise({
      ...DESCRIPTIONS[name],
      start: (signal) => showWhile(terminal, [name, `Starting ${name}`], () => start(signal)),
      log,
    });
    running.set(name, part);
    return part.ready.then(() =>
      log(`ready after ${Math.round((Date.now() - begun) / 100) / 10} s`),
    );
  };
  const common = (name: 'postgres' | 'kafka', signal: AbortSignal) => ({
    directory: join(directory, name),
    port: ports[name],
    logFile: logFileOf(name),
    log: (line: string) => terminal.part(name, line),
    progress: (text: string) => terminal.step(name, text),
    signal,
  });
  const postgres = async () => {
    if (settings.databases) return;
    await keep('postgres', (signal) => startPostgres(common('postgres', signal)));
    const done = await runMigrations(root, backing.databases, stopping.signal);
    for (const line of done) terminal.part('postgres', line);
  };
  const kafka = async () => {
    if (settings.brokers) return;
    await keep('kafka', (signal) =>
      startKafka({ ...common('kafka', signal), archiveAfter: started }),
    );
  };
  const service = async (name: ServiceName) => {
    const plan = services[name];
    await keep(name, (signal) =>
      startService({
        ...plan,
        name,
        logFile: logFileOf(name),
        pidFile: pidFileOf(directory, name),
        onLine: (line) => {
          const shown = adaptToOwnServers(line, ownServers());
          if (shown) terminal.serviceLine(name, shown);
        },
        log: (line) => terminal.part(name, line),
        signal,
      }),
    );
  };
  const ownServers = (): OwnServer[] =>
    (['postgres', 'kafka'] as const)
      .filter((name) => running.has(name))
      .map((name) => ({
        address: `127.0.0.1:${ports[name]}`,
        logFile: relative(process.cwd(), logFileOf(name)),
        isRecovering: running.get(name)?.isRecovering() === true,
      }));
  const stop = async () => {
    stopping.abort(new Error('stopping'));
    const from = Date.now();
    const end = (names: PartName[], byMs: number) => {
      const deadlineMs = Math.max(0, from + byMs - Date.now());
      return Promise.all(names.map((name) => running.get(name)?.stop(deadlineMs)));
    };
    await end(['gateway'], GATEWAY_STOPPED_MS);
    await end(['order', 'stock'], SUBGRAPHS_STOPPED_MS);
    await end(['kafka', 'postgres'], SERVERS_STOPPED_MS);
  };
  const startAll = async () => {
    const subgraphs = async () => {
      await Promise.all([postgres(), kafka()]);
      await Promise.all([service('order'), service('stock')]);
    };
    // The gateway can start before the subgraphs. The subgraphs, however, start after the servers,
    // because they would report missing servers as outages.
    await Promise.all([service('gateway'), subgraphs()]);
  };
  return { ready: startAll().finally(reportStarted), stop };
}
