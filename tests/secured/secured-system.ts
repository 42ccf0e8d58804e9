import { fileURLToPath } from 'node:url';
import { type SecuredServers, startSecuredServers, USER } from '@gudang/embedded/secured-testing';
import { testTopicPrefix } from '@gudang/embedded/testing';
import { runScript, type ScriptResult } from '@gudang/testing/system/run-script';
import {
  type Environment,
  type ServiceProcess,
  startServiceProcess,
} from '@gudang/testing/system/service-process';
import { scriptOf } from '@gudang/testing/system/system';

export type Side = 'order' | 'stock';
export const SETTING = { order: 'ORDER_DATABASE_URL', stock: 'STOCK_DATABASE_URL' } as const;

const repository = new URL('../../', import.meta.url);
const inRepository = (path: string): string => fileURLToPath(new URL(path, repository));

/** Servers that require TLS and passwords, and processes that connect to them. */
export interface SecuredSystem {
  readonly servers: SecuredServers;
  /** Valid settings for Kafka. */
  readonly kafka: Environment;
  /** Valid settings for PostgreSQL. */
  readonly databases: Environment;
  readonly migrate: (changes?: Environment) => Promise<ScriptResult>;
  readonly deadLetters: (changes?: Environment) => Promise<ScriptResult>;
  /**
   * Starts a subgraph with valid settings and the given changes. Resolves once the subgraph listens,
   * even if it is not ready.
   */
  readonly start: (side: Side, changes?: Environment) => Promise<ServiceProcess>;
  readonly startGateway: (order: ServiceProcess, stock: ServiceProcess) => Promise<ServiceProcess>;
  /** Returns the output of all processes. */
  readonly written: () => string;
  readonly stop: () => Promise<void>;
}

export async function startSecuredSystem(): Promise<SecuredSystem> {
  const servers = await startSecuredServers();
  const parts: ServiceProcess[] = [];
  const commands: string[] = [];
  const kafka: Environment = {
    KAFKA_BROKERS: servers.brokers,
    KAFKA_TOPIC_PREFIX: testTopicPrefix(),
    KAFKA_TLS: 'true',
    KAFKA_TLS_CA: servers.ca,
    KAFKA_SASL_MECHANISM: 'scram-sha-512',
    KAFKA_SASL_USERNAME: USER.name,
    KAFKA_SASL_PASSWORD: USER.password,
  };
  const databases = {
    [SETTING.order]: servers.databaseUrl('order_db'),
    [SETTING.stock]: servers.databaseUrl('stock_db'),
  };
  const started = async (
    name: string,
    script: string,
    environment: Environment,
  ): Promise<ServiceProcess> => {
    // The log level is debug, because even debug logs must not contain secrets.
    const usual = { PORT: '0', DRAIN_MS: '0', LOG_LEVEL: 'debug' };
    const part = await startServiceProcess({
      name,
      script,
      environment: { ...usual, ...environment },
    });
    parts.push(part);
    return part;
  };
  const run = async (script: string, environment: Environment, args: string[] = []) => {
    const ended = await runScript(inRepository(script), environment, { args });
    commands.push(ended.stdout, ended.stderr);
    return ended;
  };
  return {
    servers,
    kafka,
    databases,
    migrate: (changes = {}) => run('prisma/dist/migrate.js', { ...databases, ...changes }),
    deadLetters: (changes = {}) =>
      run('packages/outbox/dist/dead-letters/main.js', { ...kafka, ...changes }, ['list']),
    start: (side, changes = {}) =>
      started(side, scriptOf(side), {
        ...kafka,
        [SETTING[side]]: databases[SETTING[side]],
        ...changes,
      }),
    startGateway: (order, stock) =>
      started('gateway', scriptOf('gateway'), {
        SUBGRAPH_URLS: `order=${order.url}/graphql,stock=${stock.url}/graphql`,
      }),
    written: () => [...commands, ...parts.map((part) => part.output())].join('\n'),
    stop: async () => {
      await Promise.all(parts.map((part) => part.stop()));
      await servers.stop();
    },
  };
}
