import kafkajs from 'kafkajs';
import { describe, expect, it } from 'vitest';
import { isKafkaError, kafkaProblem } from './kafka-problem.ts';

const { KafkaJSConnectionError, KafkaJSNumberOfRetriesExceeded, KafkaJSProtocolError } = kafkajs;
const often = (error: Error): Error =>
  new KafkaJSNumberOfRetriesExceeded(error, { retryCount: 8, retryTime: 100 });
/** Creates errors whose constructors kafkajs's types omit. */
const named = (name: string, message: string): Error => Object.assign(new Error(message), { name });
const connection = (message: string, code: string): Error =>
  often(new KafkaJSConnectionError(`Connection error: ${message}`, { broker: 'a:1', code }));
const protocol = (type: string): Error =>
  new KafkaJSProtocolError(Object.assign(new Error(type), { type, code: 1, retriable: false }));

describe('kafkaProblem', () => {
  it.each<[string, unknown, RegExp, RegExp, boolean]>([
    ['no error is known', undefined, /does not answer$/, /^start it, .* address$/, false],
    [
      'nothing listens',
      connection('connect ECONNREFUSED', 'ECONNREFUSED'),
      /does not answer$/,
      /address$/,
      false,
    ],
    [
      'the broker closes the connection',
      often(named('KafkaJSConnectionClosedError', 'Closed connection')),
      /does not answer$/,
      /KAFKA_TLS and KAFKA_SASL_MECHANISM/,
      false,
    ],
    [
      'the listener has no TLS',
      connection(
        'Client network socket disconnected before secure TLS connection was established',
        'ECONNRESET',
      ),
      /does not answer$/,
      /KAFKA_TLS and/,
      false,
    ],
    [
      'the certificate is signed by an unknown authority',
      connection('unable to verify the first certificate', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'),
      /is not trusted \(unable to verify the first certificate\)$/,
      /KAFKA_TLS_CA/,
      true,
    ],
    [
      'the certificate has expired',
      connection('certificate has expired', 'CERT_HAS_EXPIRED'),
      /has expired\)$/,
      /KAFKA_TLS_CA/,
      true,
    ],
    [
      'the password is wrong',
      named('KafkaJSSASLAuthenticationError', 'SASL PLAIN authentication failed'),
      /refuses the user or the password$/,
      /KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD/,
      true,
    ],
    [
      'the mechanism is not supported',
      named(
        'KafkaJSSASLAuthenticationError',
        'SASL PLAIN mechanism is not supported by the server',
      ),
      /SASL PLAIN mechanism/,
      /^set KAFKA_SASL_MECHANISM/,
      true,
    ],
    [
      'the listener has no SASL',
      protocol('ILLEGAL_SASL_STATE'),
      /accepts no authentication on this listener$/,
      /unset KAFKA_SASL/,
      true,
    ],
    [
      'the user lacks a right',
      protocol('TOPIC_AUTHORIZATION_FAILED'),
      /\(TOPIC_AUTHORIZATION_FAILED\)$/,
      /^grant/,
      true,
    ],
  ])('names the reason and the setting when %s', (_what, error, reason, advice, lasting) => {
    const problem = kafkaProblem(error, ['a:1', 'b:2']);
    expect(problem.reason).toMatch(/^Kafka at a:1, b:2 /);
    expect(problem.reason).toMatch(reason);
    expect(problem.advice).toMatch(advice);
    expect(problem.lasting).toBe(lasting);
  });

  it('distinguishes errors of kafkajs from other errors', () => {
    expect(isKafkaError(new Error('no', { cause: protocol('UNKNOWN') }))).toBe(true);
    expect(isKafkaError(new TypeError('x is not a function'))).toBe(false);
    expect(isKafkaError(undefined)).toBe(false);
  });
});
