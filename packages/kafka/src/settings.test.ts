import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSettings, SettingsError } from '@gudang/runtime/settings';
import { afterAll, describe, expect, it } from 'vitest';
import { connectionOptions } from './kafka-client.ts';
import { kafkaSettings } from './settings.ts';

const directory = mkdtempSync(join(tmpdir(), 'gudang-settings-'));
afterAll(() => rmSync(directory, { recursive: true }));
const ca = join(directory, 'ca.pem');
const pem = '-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n';
writeFileSync(ca, pem);
const noPem = join(directory, 'no.pem');
writeFileSync(noPem, 'hello');

const options = (environment: Record<string, string>) =>
  connectionOptions(readSettings(kafkaSettings, { KAFKA_BROKERS: 'a:1', ...environment }));
const problems = (environment: Record<string, string>): string => {
  try {
    options(environment);
  } catch (error) {
    if (error instanceof SettingsError) return error.message;
  }
  return '';
};

describe('kafkaSettings', () => {
  it('passes brokers, TLS, CA certificates and credentials to the client', () => {
    expect(options({})).toEqual({ brokers: ['a:1'] });
    expect(options({ KAFKA_TLS: 'true' })).toEqual({ brokers: ['a:1'], ssl: true });
    expect(
      options({
        KAFKA_BROKERS: 'a:1,b:2',
        KAFKA_TLS: 'true',
        KAFKA_TLS_CA: ca,
        KAFKA_SASL_MECHANISM: 'scram-sha-512',
        KAFKA_SASL_USERNAME: 'gudang',
        KAFKA_SASL_PASSWORD: 'hush',
      }),
    ).toEqual({
      brokers: ['a:1', 'b:2'],
      ssl: { ca: [pem] },
      sasl: { mechanism: 'scram-sha-512', username: 'gudang', password: 'hush' },
    });
  });

  it.each([
    [
      { KAFKA_SASL_MECHANISM: 'plain' },
      'KAFKA_SASL_MECHANISM: it needs KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD too',
    ],
    [
      { KAFKA_SASL_MECHANISM: 'plain', KAFKA_SASL_USERNAME: 'a' },
      'KAFKA_SASL_MECHANISM: it needs KAFKA_SASL_PASSWORD too',
    ],
    [{ KAFKA_SASL_PASSWORD: 'hush' }, 'KAFKA_SASL_PASSWORD: it needs KAFKA_SASL_MECHANISM too'],
    [{ KAFKA_SASL_MECHANISM: 'gssapi' }, 'one of plain, scram-sha-256, scram-sha-512'],
    [{ KAFKA_TLS_CA: ca }, 'KAFKA_TLS_CA: it needs KAFKA_TLS=true'],
    [
      { KAFKA_TLS: 'true', KAFKA_TLS_CA: '/nowhere' },
      '"/nowhere" is not allowed; the path of a readable file',
    ],
    [
      { KAFKA_TLS: 'true', KAFKA_TLS_CA: noPem },
      'the path of a readable file with certificates in PEM',
    ],
    [{ KAFKA_TLS: 'yes' }, 'KAFKA_TLS: "yes" is not allowed; true or false'],
    [{ KAFKA_REPLICATION: '0' }, 'KAFKA_REPLICATION: "0" is not allowed; -1, or 1 to 10'],
  ])('rejects settings that contradict each other: %o', (environment, problem) => {
    expect(problems(environment)).toContain(problem);
    expect(problems(environment)).not.toContain('hush');
  });
});
