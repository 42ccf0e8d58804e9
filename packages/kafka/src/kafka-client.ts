import type { Logger } from '@gudang/runtime';
import type { SettingsOf } from '@gudang/runtime/settings';
import { Kafka, type KafkaConfig, logLevel, type SASLOptions } from 'kafkajs';
import { patchFetchResponse } from './fetch/fetch-response.ts';
import { patchGroupMember } from './patches/group-member.ts';
import { patchLogTruncation, RECORDS_LOST } from './patches/log-truncation.ts';
import { patchProduceRequest } from './patches/produce-request.ts';
import { patchRequestQueue } from './patches/request-queue.ts';
import type { kafkaSettings } from './settings.ts';

/** Maximum wait between two attempts during an outage, in milliseconds. */
export const LONGEST_RETRY_MS = 1_000;

type ClientSettings = Pick<
  SettingsOf<typeof kafkaSettings>,
  | 'KAFKA_BROKERS'
  | 'KAFKA_TLS'
  | 'KAFKA_TLS_CA'
  | 'KAFKA_SASL_MECHANISM'
  | 'KAFKA_SASL_USERNAME'
  | 'KAFKA_SASL_PASSWORD'
>;

/** Returns kafkajs's options for the connection to the brokers. */
export function connectionOptions(
  settings: ClientSettings,
): Pick<KafkaConfig, 'brokers' | 'ssl' | 'sasl'> {
  const { KAFKA_TLS: tls, KAFKA_TLS_CA: ca, KAFKA_SASL_MECHANISM: mechanism } = settings;
  return {
    brokers: [...settings.KAFKA_BROKERS],
    ...(tls ? { ssl: ca === undefined ? true : { ca: [ca] } } : {}),
    ...(mechanism === undefined
      ? {}
      : {
          sasl: {
            mechanism,
            username: settings.KAFKA_SASL_USERNAME ?? '',
            password: settings.KAFKA_SASL_PASSWORD ?? '',
          } as SASLOptions,
        }),
  };
}

/**
 * Creates a patched kafkajs client. kafkajs's own log lines are written at level debug, because
 * kafkajs logs each failed attempt. The connection and the consumers log outages instead. Lost
 * records are logged as a warning.
 * @param retries maximum number of retries of each request; 12 retries take about 10 s
 */
export function createKafkaClient(
  clientId: string,
  settings: ClientSettings,
  log: Pick<Logger, 'debug' | 'warn'>,
  retries = 12,
): Kafka {
  patchRequestQueue();
  patchGroupMember();
  patchProduceRequest();
  patchFetchResponse();
  patchLogTruncation();
  return new Kafka({
    clientId,
    ...connectionOptions(settings),
    connectionTimeout: 3_000,
    requestTimeout: 10_000,
    retry: { initialRetryTime: 100, maxRetryTime: LONGEST_RETRY_MS, retries },
    logLevel: logLevel.INFO,
    logCreator:
      () =>
      ({ namespace, log: { message, error, topic, partition, position, offset } }) => {
        if (message !== RECORDS_LOST) log.debug({ kafkajs: namespace, error }, message);
        else log.warn({ topic, partition, position, offset }, message);
      },
  });
}
