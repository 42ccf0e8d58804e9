import { badUserInput } from '@gudang/runtime';
import { setErrorTrace } from '@gudang/runtime/tracing';
import { buildSchema, execute, GraphQLError, type GraphQLFormattedError, parse } from 'graphql';
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

  it.each([
    ['{ a(n: $n) }', 'Argument "n" of non-null type "Int!" must not be null.'],
    ['{ b @skip(if: $c) }', 'Argument "if" of non-null type "Boolean!" must not be null.'],
    ['{ t { b @skip(if: $c) } }', 'Argument "if" of non-null type "Boolean!" must not be null.'],
  ])('keeps the message of graphql-js about null in a variable: %s', async (text, message) => {
    const schema = buildSchema('type Query { a(n: Int!): Int b: Int t: Query }');
    const result = await execute({
      schema,
      document: parse(`query ($n: Int = 1, $c: Boolean = true) ${text}`),
      variableValues: { n: null, c: null },
      rootValue: { t: {} },
    });
    const [error] = result.errors ?? [];
    // Apollo Server has given this code to an error without a code.
    const formatted = { ...error?.toJSON(), extensions: { code: 'INTERNAL_SERVER_ERROR' } };
    const log = pino({ level: 'silent' });
    expect(presentError(formatted as GraphQLFormattedError, error, log)).toMatchObject({
      message,
      extensions: { code: 'BAD_USER_INPUT' },
    });
  });

  it('does not show what graphql-js says about a value that a resolver returns', () => {
    const original = new GraphQLError('String cannot represent value: { secret: "s" }');
    const { shown, lines } = present(
      new GraphQLError(original.message, { originalError: original, path: ['order', 'name'] }),
    );
    expect(shown).toMatchObject({ message: 'Internal error' });
    expect(lines).toHaveLength(1);
  });

  it('reports an invalid variable as bad input', () => {
    const [operation] = parse('query ($n: Int!) { a }').definitions;
    const nodes = operation?.kind === 'OperationDefinition' ? operation.variableDefinitions : [];
    const { shown, lines } = present(
      new GraphQLError('Variable "$n" …', {
        nodes: nodes ?? [],
        originalError: new GraphQLError('Int cannot …'),
      }),
    );
    expect(shown).toMatchObject({
      message: 'Variable "$n" …',
      extensions: { code: 'BAD_USER_INPUT' },
    });
    expect(lines).toEqual([]);
  });

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
