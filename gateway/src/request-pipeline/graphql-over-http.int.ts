import { type AuditResult, auditServer } from 'graphql-http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestGateway, type TestGateway } from '../testing/running-gateway.ts';
import { composeToys } from '../testing/toy-graph.ts';

let gateway: TestGateway;
let results: AuditResult[];

beforeAll(async () => {
  gateway = await startTestGateway(composeToys());
  results = await auditServer({ url: `${gateway.url}/graphql` });
});
afterAll(() => gateway.stop());

const named = (status: AuditResult['status']): string[] =>
  results.filter((one) => one.status === status).map(({ id, name }) => `${id} ${name}`);

/** The section "GraphQL over HTTP" of gateway/docs/clients.md gives the reason for each deviation. */
describe('the audit of GraphQL over HTTP', () => {
  it('finds no error', () => {
    expect(results.length).toBeGreaterThan(60);
    expect(named('error')).toEqual([]);
  });

  it('warns only about status 4xx for invalid operations', () => {
    expect(named('warn')).toEqual([
      '572B SHOULD use 200 status code on document parsing failure when accepting application/json',
      'FDE2 SHOULD use 200 status code on document validation failure when accepting application/json',
      '7B9B SHOULD use a status code of 200 on variable coercion failure when accepting application/json',
    ]);
  });

  it('notes only that GET requests without a preflight are rejected', () => {
    expect(named('notice')).toEqual([
      '5A70 MAY accept application/x-www-form-urlencoded formatted GET requests',
      'D6D5 MAY allow URL-encoded JSON string {variables} parameter in GETs when accepting application/graphql-response+json',
      '6A70 MAY allow URL-encoded JSON string {variables} parameter in GETs when accepting application/json',
    ]);
  });
});
