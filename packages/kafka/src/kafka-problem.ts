import type { Problem } from '@gudang/runtime';
import { isCertificateProblem } from '@gudang/runtime';
import { protocolErrors } from './protocol-error.ts';

/** Why Kafka cannot be used. */
export interface KafkaProblem extends Problem {
  /** Waiting alone does not mend it: a setting or a right is wrong. */
  readonly lasting: boolean;
}

const RIGHTS =
  'grant the user of KAFKA_SASL_USERNAME topics and groups of KAFKA_TOPIC_PREFIX: describe, create, read, write';

/**
 * @param error what kafkajs threw; undefined when nothing has been heard
 * @param brokers those of KAFKA_BROKERS
 */
export function kafkaProblem(error: unknown, brokers: readonly string[]): KafkaProblem {
  const server = `Kafka at ${brokers.join(', ')}`;
  for (const { name, message, code } of causes(error)) {
    if (name === 'KafkaJSSASLAuthenticationError') return refusedLogin(server, message);
    if (isCertificateProblem(code)) {
      return {
        reason: `${server} shows a certificate that is not trusted (${message.replace(/^Connection error: /, '')})`,
        advice:
          'set KAFKA_TLS_CA to the certificate of whoever has signed it, and KAFKA_BROKERS to names that it holds',
        lasting: true,
      };
    }
  }
  const said = protocolErrors(error);
  if (said.includes('ILLEGAL_SASL_STATE')) {
    return {
      reason: `${server} lets nobody log in`,
      advice: 'unset KAFKA_SASL_MECHANISM, or set KAFKA_BROKERS to its listener with SASL',
      lasting: true,
    };
  }
  const refusal = authorizationFailure(error);
  if (refusal !== undefined) {
    return {
      reason: `${server} does not let this user do what it must (${refusal})`,
      advice: RIGHTS,
      lasting: true,
    };
  }
  const place = 'start it, or set KAFKA_BROKERS to where it runs';
  return {
    reason: `${server} does not answer`,
    // A listener closes on whoever talks another way than it expects, and says no more.
    advice: causes(error).some(isHangUp)
      ? `${place}, KAFKA_TLS and KAFKA_SASL_MECHANISM to what it asks for`
      : place,
    lasting: false,
  };
}

function refusedLogin(server: string, message: string): KafkaProblem {
  if (/mechanism is not supported/.test(message)) {
    return {
      reason: `${server} does not take this way to log in (${message})`,
      advice: 'set KAFKA_SASL_MECHANISM to one that it takes',
      lasting: true,
    };
  }
  return {
    reason: `${server} refuses the user or the password`,
    advice:
      'set KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD to those that it takes by KAFKA_SASL_MECHANISM',
    lasting: true,
  };
}

function isHangUp({ name, message }: Error): boolean {
  return (
    name === 'KafkaJSConnectionClosedError' || /before secure TLS|wrong version/i.test(message)
  );
}

/** Whether kafkajs threw it, for whoever talks to others too. */
export function isOfKafka(error: unknown): boolean {
  return causes(error).some(({ name }) => name.startsWith('KafkaJS'));
}

/** Errors that kafkajs takes for permanent, although they pass with the outage that causes them. */
const PASSING = new Set([
  'KafkaJSGroupCoordinatorNotFound',
  // A password that is being changed is soon right again.
  'KafkaJSSASLAuthenticationError',
  'KafkaJSTimeout',
  'KafkaJSLockTimeout',
  'UNKNOWN_MEMBER_ID',
  'ILLEGAL_GENERATION',
  'REBALANCE_IN_PROGRESS',
]);

/**
 * Returns why a consumer is stopped and what mends it; undefined for an outage or a rebalance,
 * which pass by themselves.
 */
export function findFault(error: unknown): Problem | undefined {
  const chain = causes(error);
  if (chain.some(isPassing)) return undefined;
  const refusal = authorizationFailure(error);
  if (refusal !== undefined) {
    return { reason: `Kafka refuses to serve it (${refusal})`, advice: RIGHTS };
  }
  return {
    reason: `${chain.at(-1)?.message ?? error}`,
    advice:
      'if a record batch cannot be decoded, delete it with kafka-delete-records or move the group past it',
  };
}

function isPassing({ name, type, retriable, syscall }: Cause): boolean {
  return PASSING.has(name) || PASSING.has(`${type}`) || retriable === true || syscall !== undefined;
}

function authorizationFailure(error: unknown): string | undefined {
  return protocolErrors(error).find((name) => name.endsWith('_AUTHORIZATION_FAILED'));
}

type Cause = Error & {
  readonly code?: unknown;
  /** Of kafkajs's errors: the protocol's name of the error, and whether a retry may help. */
  readonly type?: unknown;
  readonly retriable?: unknown;
  /** Of Node's system errors. */
  readonly syscall?: unknown;
};

function causes(error: unknown): readonly Cause[] {
  const found: Cause[] = [];
  for (let next = error; next instanceof Error && !found.includes(next); next = next.cause) {
    found.push(next);
  }
  return found;
}
