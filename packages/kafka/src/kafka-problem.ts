import { isCertificateProblem, type Problem } from '@gudang/runtime';
import kafkajs from 'kafkajs';

/** The reason why Kafka cannot be used, and the advice to the operator. */
export interface KafkaProblem extends Problem {
  /** Whether a setting or a permission is wrong, so that waiting does not help. */
  readonly lasting: boolean;
}

const RIGHTS =
  'grant the user of KAFKA_SASL_USERNAME topics and groups of KAFKA_TOPIC_PREFIX: describe, create, read, write';

/**
 * Returns why Kafka cannot be used, and which setting to correct.
 * @param error thrown by kafkajs; undefined if no broker has answered or failed yet
 * @param brokers the value of KAFKA_BROKERS
 */
export function kafkaProblem(error: unknown, brokers: readonly string[]): KafkaProblem {
  const server = `Kafka at ${brokers.join(', ')}`;
  for (const { name, message, code } of causes(error)) {
    if (name === 'KafkaJSSASLAuthenticationError') return authenticationProblem(server, message);
    if (isCertificateProblem(code)) {
      return {
        reason: `${server} shows a certificate that is not trusted (${message.replace(/^Connection error: /, '')})`,
        advice:
          "set KAFKA_TLS_CA to the certificate of the authority that signed it, and KAFKA_BROKERS to the certificate's names",
        lasting: true,
      };
    }
  }
  if (protocolErrors(error).includes('ILLEGAL_SASL_STATE')) {
    return {
      reason: `${server} accepts no authentication on this listener`,
      advice: 'unset KAFKA_SASL_MECHANISM, or set KAFKA_BROKERS to its listener with SASL',
      lasting: true,
    };
  }
  const denial = authorizationFailure(error);
  if (denial !== undefined) {
    return {
      reason: `${server} denies this user a required operation (${denial})`,
      advice: RIGHTS,
      lasting: true,
    };
  }
  const address = 'start it, or set KAFKA_BROKERS to its address';
  return {
    reason: `${server} does not answer`,
    // If the client uses the wrong protocol, the listener closes the connection without an error
    // message.
    advice: causes(error).some(isHangUp)
      ? `${address}, KAFKA_TLS and KAFKA_SASL_MECHANISM to what it expects`
      : address,
    lasting: false,
  };
}

function authenticationProblem(server: string, message: string): KafkaProblem {
  if (/mechanism is not supported/.test(message)) {
    return {
      reason: `${server} does not support this authentication (${message})`,
      advice: 'set KAFKA_SASL_MECHANISM to a mechanism that it supports',
      lasting: true,
    };
  }
  return {
    reason: `${server} refuses the user or the password`,
    advice:
      'set KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD to a user that it accepts by KAFKA_SASL_MECHANISM',
    lasting: true,
  };
}

function isHangUp({ name, message }: Error): boolean {
  return (
    name === 'KafkaJSConnectionClosedError' || /before secure TLS|wrong version/i.test(message)
  );
}

/** Whether kafkajs threw the error or one of its causes. */
export function isKafkaError(error: unknown): boolean {
  return causes(error).some(({ name }) => name.startsWith('KafkaJS'));
}

/** Returns the protocol's names of an error, such as UNKNOWN_TOPIC_OR_PARTITION. */
export function protocolErrors(error: unknown): readonly string[] {
  // Use the default import, because Node does not find the error classes among kafkajs's CommonJS
  // exports.
  if (error instanceof kafkajs.KafkaJSProtocolError) return [error.type];
  if (error instanceof kafkajs.KafkaJSAggregateError) return error.errors.flatMap(protocolErrors);
  return error instanceof Error && error.cause !== undefined ? protocolErrors(error.cause) : [];
}

/**
 * Errors that kafkajs considers permanent, although they disappear when the outage that causes them
 * ends.
 */
const TRANSIENT = new Set([
  'KafkaJSGroupCoordinatorNotFound',
  // Authentication may fail for a short time while the password is being changed.
  'KafkaJSSASLAuthenticationError',
  'KafkaJSTimeout',
  'KafkaJSLockTimeout',
  'UNKNOWN_MEMBER_ID',
  'ILLEGAL_GENERATION',
  'REBALANCE_IN_PROGRESS',
]);

/**
 * Returns why a consumer is stopped and what to do; undefined for an outage or a rebalance, which
 * end without intervention.
 */
export function findFault(error: unknown): Problem | undefined {
  const chain = causes(error);
  if (chain.some(isTransient)) return undefined;
  const denial = authorizationFailure(error);
  if (denial !== undefined) {
    return { reason: `Kafka denies a required operation (${denial})`, advice: RIGHTS };
  }
  return {
    reason: `${chain.at(-1)?.message ?? error}`,
    advice:
      'if a record batch cannot be decoded, delete it with kafka-delete-records or move the group past it',
  };
}

function isTransient({ name, type, retriable, syscall }: Cause): boolean {
  return (
    TRANSIENT.has(name) || TRANSIENT.has(`${type}`) || retriable === true || syscall !== undefined
  );
}

function authorizationFailure(error: unknown): string | undefined {
  return protocolErrors(error).find((name) => name.endsWith('_AUTHORIZATION_FAILED'));
}

type Cause = Error & {
  readonly code?: unknown;
  /** The error's name in the protocol. Only errors of kafkajs have this field. */
  readonly type?: unknown;
  /** Whether a retry may help. Only errors of kafkajs have this field. */
  readonly retriable?: unknown;
  /** Only Node's system errors have this field. */
  readonly syscall?: unknown;
};

function causes(error: unknown): readonly Cause[] {
  const found: Cause[] = [];
  for (let next = error; next instanceof Error && !found.includes(next); next = next.cause) {
    found.push(next);
  }
  return found;
}
