import { describe, expect, it } from 'vitest';
import { createBackingServers } from '../npm-start/service-plan.ts';
import { readStartSettings } from '../npm-start/start-settings.ts';
import { readyTable } from './ready-table.ts';

function table(env: NodeJS.ProcessEnv, tokens?: string): string {
  const { settings } = readStartSettings(env);
  return readyTable(settings, createBackingServers(settings), { seconds: 7.42, tokens });
}

describe('readyTable', () => {
  it('says that auth is off, and which settings turn it on', () => {
    const text = table({});
    expect(text).toContain('Gudang is ready after 7.4 s');
    expect(text).toContain('Auth is off: every caller has full access.');
    expect(text).toMatch(/set JWT_SECRET or JWT_JWKS_URL/);
    expect(text).not.toContain('GUDANG_TOKEN');
  });

  it('says which setting verifies tokens, and how the demo gets one', () => {
    const text = table({}, 'JWT_SECRET');
    expect(text).toContain('Auth is on: JWT_SECRET verifies');
    expect(text).toContain('GUDANG_TOKEN=<token>');
  });

  it('does not print the addresses of the user’s own servers', () => {
    const url = 'postgresql://u:hush@db/x';
    const own = { ORDER_DATABASE_URL: url, STOCK_DATABASE_URL: url, KAFKA_BROKERS: 'b:1' };
    expect(table({})).toContain('127.0.0.1:9092');
    expect(table(own)).not.toMatch(/hush|b:1/);
  });
});
