import { readFileSync } from 'node:fs';
import { type Authentication, createAuthentication, type Identity } from '@gudang/auth';
import type { AuthSettings, authSettings, identitySettings } from '@gudang/auth/settings';
import { type ChangeFeed, type FeedOptions, startChangeFeed } from '@gudang/change-feed';
import { startKeyPurge } from '@gudang/idempotency';
import type { idempotencySettings } from '@gudang/idempotency/settings';
import { type KafkaConnection, measureLag, serviceTopics, startKafka } from '@gudang/kafka';
import type { kafkaSettings } from '@gudang/kafka/settings';
import type { Decoded } from '@gudang/messages';
import {
  type DeadLetters,
  type InboxMessage,
  measureOutbox,
  type Relay,
  type Subject,
  startInboxConsumer,
  startRelay,
} from '@gudang/outbox';
import {
  type DatabaseOptions,
  isConflict,
  isOutage,
  type SqlClient,
  startDatabase,
} from '@gudang/postgres';
import type { databaseSettings } from '@gudang/postgres/settings';
import {
  createAllowedHosts,
  createHealth,
  createHttpServer,
  createMetrics,
  maskErrors,
  type ProcessContext,
  type Service,
  type Stoppable,
  startHttp,
} from '@gudang/runtime';
import type {
  callerSettings,
  httpSettings,
  SettingsOf,
  SettingsTable,
} from '@gudang/runtime/settings';
import type { FindEntities } from './graphql/resolve-entities.ts';
import { type SubgraphContext, serveSubgraph } from './graphql/serve-subgraph.ts';
import { createRestRate, type RestRate } from './rest/rest-rate.ts';
import { rejectUnreadableUrl } from './rest/serve-rest.ts';

/** Dependencies that all parts of one subgraph share. */
export interface SubgraphService<T extends SettingsTable = SettingsTable> extends Service<T> {
  readonly auth: Authentication;
  readonly restRate: RestRate;
  /**
   * Returns whether an error means that the database is unavailable, so that the same request may succeed
   * later.
   */
  readonly isOutage: (error: unknown) => boolean;
}

/** The settings that all subgraphs have. A subgraph may have further settings. */
type SubgraphTable = ReturnType<typeof httpSettings> &
  typeof authSettings &
  typeof identitySettings &
  typeof callerSettings &
  typeof databaseSettings &
  typeof idempotencySettings &
  typeof kafkaSettings;

/** A Prisma client, or another database client that can be closed. */
type SubgraphDatabase = SqlClient & { $disconnect(): Promise<void> };

/** The started parts that a subgraph's own code uses. */
export interface SubgraphParts<D> {
  readonly database: D;
  readonly relay: Relay;
  readonly changeFeed: ChangeFeed;
  /**
   * Makes the relay send new outbox rows immediately. It must be called after each commit that wrote
   * outbox rows.
   */
  readonly notifyRelay: () => void;
}

/** A consumer, which applies the records of a topic to the subgraph's database. */
export interface SubgraphConsumer<D, M> {
  readonly topic: string;
  /**
   * Suffix of the consumer group after the service's name, and name of this consumer in `/readyz`. Each
   * consumer of a subgraph needs a group of its own. Default: the group is the service's name, and the
   * name is `consumer`.
   */
  readonly group?: string | undefined;
  readonly decode: (value: Uint8Array | null) => Decoded<M>;
  readonly subject: Subject<M>;
  /**
   * Applies a batch and writes its dead letters in one transaction. This function is called again with
   * the same batch until it succeeds.
   * @returns a count for each outcome
   */
  readonly apply: (
    database: D,
    batch: readonly InboxMessage<M>[],
    deadLetters: DeadLetters,
  ) => Promise<OutcomeCounts>;
  /** The metric that counts records by `outcome`. */
  readonly counter: { readonly name: string; readonly help: string };
}

export type OutcomeCounts = Readonly<Record<string, number>>;

export interface SubgraphDefinition<T extends SettingsTable, D, M extends readonly unknown[], C> {
  /** The name of the setting with the database's URL. */
  readonly databaseSetting: keyof T & string;
  /** The name of the optional setting with the URL of connections that no pooler may share. */
  readonly directDatabaseSetting: keyof T & string;
  readonly openDatabase: (options: DatabaseOptions) => D;
  /**
   * The topics that several services use. Missing topics are created together with their dead-letter
   * topics.
   */
  readonly sharedTopics: readonly string[];
  /** A sentence for the log that states what still works while Kafka is unavailable. */
  readonly whileKafkaIsUnavailable: string;
  /**
   * The topic of the subgraph's own changes. It has a single partition, because its offsets are used as
   * cursors.
   */
  readonly changeTopic: string;
  /** Options of the feed of the subgraph's own changes. */
  readonly feed?: Pick<FeedOptions, 'stream' | 'moreKeysOf'>;
  /** The consumers of the subgraph. `M` is the types of their messages. */
  readonly consumers: { readonly [K in keyof M]: SubgraphConsumer<D, M[K]> };
  /** The file of the GraphQL schema. */
  readonly schema: URL;
  readonly resolvers: object;
  /** Functions that find the entities of a type together, by the name of the type. */
  readonly entities?: Readonly<Record<string, FindEntities<C>>>;
  /** Starts the subgraph's own parts and adds its REST routes. Returns the function that creates contexts. */
  readonly start: (
    service: SubgraphService<T>,
    parts: SubgraphParts<D>,
  ) => Promise<{
    readonly createContext: (identity: Identity, traceparent?: string) => C;
  }>;
}

/** Whether a later request may succeed. Conflicts were already retried. */
const isUnavailable = (error: unknown): boolean => isOutage(error) || isConflict(error);

/**
 * Starts a subgraph: the database, Kafka, the outbox relay, the change feed, the consumer, the subgraph's
 * own parts, and finally the HTTP server. The parts are stopped in the reverse order. A part that must
 * wait for a database or a broker waits in the background, so that `/healthz` and `/readyz` are available
 * immediately.
 */
export async function startSubgraph<
  T extends SettingsTable & SubgraphTable,
  D extends SubgraphDatabase,
  M extends readonly unknown[],
  C extends SubgraphContext,
>(context: ProcessContext<T>, definition: SubgraphDefinition<T, D, M, C>): Promise<void> {
  const { name, log, started } = context;
  const settings = context.settings as SettingsOf<SubgraphTable>;
  const { changeTopic, databaseSetting, entities, resolvers } = definition;
  const health = createHealth();
  const metrics = createMetrics(name);
  const frameworkErrors = rejectUnreadableUrl(log, isUnavailable);
  const app = createHttpServer({
    health,
    metrics,
    hosts: createAllowedHosts(settings),
    frameworkErrors,
  });
  maskErrors(app, log, isUnavailable);
  const auth = createAuthentication(settings as AuthSettings & { HOST: string }, log);
  const restRate = createRestRate(settings, metrics);
  const service = {
    ...context,
    settings,
    health,
    metrics,
    auth,
    restRate,
    app,
    isOutage: isUnavailable,
  };

  const url = String(context.settings[databaseSetting]);
  const client = definition.openDatabase({ url, pool: settings.DATABASE_POOL, metrics });
  const setting = definition.directDatabaseSetting;
  const directUrl = context.settings[setting] as string | undefined;
  const direct = directUrl === undefined ? undefined : { url: directUrl, setting };
  const watched = { client, url, setting: databaseSetting, direct };
  const { client: database } = started('database', startDatabase(service, watched));
  const topics = serviceTopics({
    shared: definition.sharedTopics,
    changes: changeTopic,
    partitions: settings.KAFKA_PARTITIONS,
  });
  const kafka = started('kafka', startKafka(service, topics, definition.whileKafkaIsUnavailable));
  const days = settings.IDEMPOTENCY_DAYS;
  started('idempotency keys', startKeyPurge(service, { database, days }));
  measureOutbox(metrics, database);
  const relay = started(
    'relay',
    startRelay(service, { kafka, databaseUrl: directUrl ?? url, changeTopic }),
  );
  const changeFeed = started(
    'feed',
    startChangeFeed(service, { ...definition.feed, kafka, database, topic: changeTopic }),
  );
  const parts = { database, relay, changeFeed, notifyRelay: relay.wake };
  const groups = definition.consumers.map(({ topic, group }) => ({
    topic,
    group: groupOf(name, group),
  }));
  started('lag', measureLag(service, { kafka, groups }));
  const consumers = definition.consumers.map((consumer) =>
    startConsumer(service, kafka, consumer, parts),
  );
  started('consumers', stoppedTogether(consumers));

  const { createContext } = await definition.start({ ...service, ...context }, parts);
  const sdl = readFileSync(definition.schema, 'utf8');
  await serveSubgraph(service, { sdl, resolvers, entities, createContext });
  const { HOST: host, PORT: port, DRAIN_MS: drainMs } = settings;
  started('http', await startHttp({ app, host, port, drainMs, log, health }));
}

function startConsumer<D, M>(
  service: SubgraphService<typeof kafkaSettings>,
  kafka: KafkaConnection,
  { topic, group: part, decode, subject, apply, counter }: SubgraphConsumer<D, M>,
  { database, notifyRelay }: Pick<SubgraphParts<D>, 'database' | 'notifyRelay'>,
): Stoppable {
  const records = service.metrics.counter(counter.name, counter.help, ['outcome']);
  return startInboxConsumer(service, {
    kafka,
    topic,
    group: groupOf(service.name, part),
    part,
    decode,
    subject,
    apply: async (batch, deadLetters) => {
      const counts = await apply(database, batch, deadLetters);
      notifyRelay();
      for (const [outcome, count] of Object.entries(counts)) records.inc({ outcome }, count);
    },
  });
}

/**
 * Makes one part of the consumers. Each of them waits for its fetch in flight, for up to 1 s. One after
 * another, they could take longer than the supervisor waits. Their groups would then keep the killed
 * members until their sessions time out.
 */
function stoppedTogether(consumers: readonly Stoppable[]): Stoppable {
  return {
    stop: async () => {
      await Promise.all(consumers.map((consumer) => consumer.stop()));
    },
  };
}

function groupOf(service: string, suffix: string | undefined): string {
  return suffix === undefined ? service : `${service}-${suffix}`;
}
