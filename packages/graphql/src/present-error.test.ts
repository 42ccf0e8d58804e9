import { badUserInput } from '@gudang/runtime';
import { setErrorTrace } from '@gudang/runtime/tracing';
import { GraphQLError } from 'graphql';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { presentError } from './present-error.ts';

const isOutage = (error: unknown) => (error as { code?: string }).code === 'ECONNREFUSED';

function present(error: GraphQLError) {
  const lines: string[] = [];
  const log = pino({}, { write: (line: string) => void lines.push(line) });
  return { shown: presentError(error.toJSON(), error, log, isOutage), lines };
}
const errorOf = (originalError: Error): GraphQLError =>
  new GraphQLError(originalError.message, { originalError, path: ['order'] });

describe('presentError', () => {
  it('keeps a ServiceError', () => {
    const { shown, lines } = present(errorOf(badUserInput('id', 'a UUID')));
    expect(shown).toMatchObject({
      message: 'id must be a UUID',
      path: ['order'],
      extensions: { code: 'BAD_USER_INPUT', argument: 'id', allowed: 'a UUID' },
    });
    expect(lines).toEqual([]);
  });

  it.each(['GRAPHQL_VALIDATION_FAILED', 'GRAPHQL_PARSE_FAILED', undefined])(
    'keeps the message of an error that the client’s operation caused (%s)',
    (code) => {
      const error = new GraphQLError('no such field', code ? { extensions: { code } } : {});
      expect(present(error).shown.message).toBe('no such field');
    },
  );

  it('replaces an internal error with an id and logs it', () => {
    const { shown, lines } = present(errorOf(new Error('password=secret')));
    expect(shown).toMatchObject({
      message: 'Internal error',
      path: ['order'],
      extensions: { code: 'INTERNAL_SERVER_ERROR' },
    });
    expect(JSON.stringify(shown)).not.toContain('secret');
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain(String(shown.extensions?.['errorId']));
    expect(lines[0]).toContain('secret');
  });

  it('logs the operation’s trace id', () => {
    const error = errorOf(new Error('broken'));
    setErrorTrace(error, '0af7651916cd43dd8448eb211c80319c');
    expect(present(error).lines[0]).toContain('"trace_id":"0af7651916cd43dd8448eb211c80319c"');
    expect(present(errorOf(new Error('broken'))).lines[0]).not.toContain('trace_id');
  });

  it('asks the caller to retry when the database is unavailable', () => {
    const outage = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
    expect(present(errorOf(outage)).shown).toMatchObject({
      message: 'The database does not answer right now; try again',
      extensions: { code: 'UNAVAILABLE', retryable: true },
    });
  });
});
