import kafkajs from 'kafkajs';
import { describe, expect, it } from 'vitest';
import { isOfKafka, kafkaProblem } from './kafka-problem.ts';

const { KafkaJSConnectionError, KafkaJSNumberOfRetriesExceeded, KafkaJSProtocolError } = kafkajs;
const often = (error: Error): Error =>
  new KafkaJSNumberOfRetriesExceeded(error, { retryCount: 8, retryTime: 100 });
/** Those whose constructors kafkajs's types leave out. */
const named = (name: string, message: string): Error => Object.assign(new Error(message), { name });
const connection = (message: string, code: string): Error =>
  often(new KafkaJSConnectionError(`Connection error: ${message}`, { broker: 'a:1', code }));
const protocol = (type: string): Error =>
  new KafkaJSProtocolError(Object.assign(new Error(type), { type, code: 1, retriable: false }));

describe('what is wrong with Kafka', () => {
  it.each<[string, unknown, RegExp, RegExp, boolean]>([
    ['nothing was heard', undefined, /does not answer$/, /^start it, .* runs$/, false],
    [
      'nobody listens',
      connection('connect ECONNREFUSED', 'ECONNREFUSED'),
      /does not answer$/,
      /runs$/,
      false,
    ],
    [
      'it hangs up',
      often(named('KafkaJSConnectionClosedError', 'Closed connection')),
      /does not answer$/,
      /KAFKA_TLS and KAFKA_SASL_MECHANISM/,
      false,
    ],
    [
      'it talks no TLS',
      connection(
        'Client network socket disconnected before secure TLS connection was established',
        'ECONNRESET',
      ),
      /does not answer$/,
      /KAFKA_TLS and/,
      false,
    ],
    [
      'its certificate is of somebody unknown',
      connection('unable to verify the first certificate', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'),
      /is not trusted \(unable to verify the first certificate\)$/,
      /KAFKA_TLS_CA/,
      true,
    ],
    [
      'its certificate has expired',
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
      'it knows no such mechanism',
      named(
        'KafkaJSSASLAuthenticationError',
        'SASL PLAIN mechanism is not supported by the server',
      ),
      /SASL PLAIN mechanism/,
      /^set KAFKA_SASL_MECHANISM/,
      true,
    ],
    [
      'nobody logs in there',
      protocol('ILLEGAL_SASL_STATE'),
      /nobody log in$/,
      /unset KAFKA_SASL/,
      true,
    ],
    [
      'the user may not',
      protocol('TOPIC_AUTHORIZATION_FAILED'),
      /\(TOPIC_AUTHORIZATION_FAILED\)$/,
      /^grant/,
      true,
    ],
  ])('%s', (_what, error, reason, advice, lasting) => {
    const problem = kafkaProblem(error, ['a:1', 'b:2']);
    expect(problem.reason).toMatch(/^Kafka at a:1, b:2 /);
    expect(problem.reason).toMatch(reason);
    expect(problem.advice).toMatch(advice);
    expect(problem.lasting).toBe(lasting);
  });

  it('is asked of errors of Kafka alone', () => {
    expect(isOfKafka(new Error('no', { cause: protocol('UNKNOWN') }))).toBe(true);
    expect(isOfKafka(new TypeError('x is not a function'))).toBe(false);
    expect(isOfKafka(undefined)).toBe(false);
  });
});
