import { describe, expect, it } from 'vitest';
import { isInvalidData, isOutage, sqlState } from './sql-state.ts';

/**
 * Errors in the form in which Prisma 7.10 with @prisma/adapter-pg throws them. The form was verified for
 * raw statements and transactions.
 */
const prisma = (code: string, cause: object, message = '') =>
  Object.assign(new Error(message), {
    code,
    meta: { driverAdapterError: { name: 'DriverAdapterError', cause } },
  });
const raw = (originalCode: string, kind = 'postgres') =>
  prisma('P2010', { originalCode, originalMessage: 'no', kind });
const coded = (code: string, message = '') => Object.assign(new Error(message), { code });

describe('sqlState, isInvalidData and isOutage', () => {
  it.each<[string, unknown, string | undefined, boolean, boolean]>([
    ['a number out of range', raw('22003', 'ValueOutOfRange'), '22003', true, false],
    ['a NUL', raw('22021'), '22021', true, false],
    ['a violated check', raw('23514'), '23514', true, false],
    ['a violated NOT NULL', raw('23502', 'NullConstraintViolation'), '23502', true, false],
    [
      'a violated check of a model query',
      prisma('P2039', { originalCode: '23514' }),
      '23514',
      true,
      false,
    ],
    ['a unique violation', raw('23505', 'UniqueConstraintViolation'), '23505', false, false],
    [
      'a unique violation of a model query',
      prisma('P2002', { originalCode: '23505' }),
      '23505',
      false,
      false,
    ],
    ['a deadlock', raw('40P01', 'TransactionWriteConflict'), '40P01', false, false],
    ['a raised exception', raw('P0001'), 'P0001', false, false],
    ['a missing table', raw('42P01'), '42P01', false, false],
    ['a killed session', raw('57P01'), '57P01', false, true],
    ['too many connections', raw('53300', 'TooManyConnections'), '53300', false, true],
    ['a full disk', raw('53100'), '53100', false, true],
    ['a write to a standby', raw('25006'), '25006', false, true],
    [
      'a refused connection',
      prisma(
        'P2010',
        { kind: 'DatabaseNotReachable' },
        "Can't reach database server at 127.0.0.1:1",
      ),
      undefined,
      false,
      true,
    ],
    [
      'a refused connection of a model query',
      prisma('P1001', { kind: 'DatabaseNotReachable' }),
      undefined,
      false,
      true,
    ],
    [
      'a raw query of Prisma whose server hangs up',
      Object.assign(new Error('Message: `Server has closed the connection.`'), {
        code: 'P2010',
        meta: { driverAdapterError: { cause: { kind: 'ConnectionClosed' } } },
      }),
      undefined,
      false,
      true,
    ],
    ['an error of pg', coded('22P02'), '22P02', true, false],
    ['a broken pipe, which looks like a state', coded('EPIPE'), undefined, false, true],
    ['a refused connection of Node', coded('ECONNREFUSED'), undefined, false, true],
    ['a wrapped error', new Error('no', { cause: coded('57P03') }), '57P03', false, true],
    ['a bug', new TypeError('x is not a function'), undefined, false, false],
    ['no error', undefined, undefined, false, false],
  ])('know %s', (_name, error, state, refused, outage) => {
    expect([sqlState(error), isInvalidData(error), isOutage(error)]).toEqual([
      state,
      refused,
      outage,
    ]);
  });

  it.each<[string, unknown]>([
    // Messages of pg and its pool. The adapter does not change these messages.
    ...[
      'Client has encountered a connection error and is not queryable',
      'Client was closed and is not queryable',
      'Connection terminated',
      'Connection terminated unexpectedly',
      'Connection terminated due to connection timeout',
      'timeout expired',
      'Query read timeout',
      'timeout exceeded when trying to connect',
      'Cannot use a pool after calling end on the pool',
    ].map((message): [string, unknown] => [message, new Error(message)]),
    // As Node has them.
    ...[
      'ECONNRESET',
      'EPIPE',
      'ENOTFOUND',
      'ETIMEDOUT',
      'EHOSTUNREACH',
      'ENETUNREACH',
      'EAI_AGAIN',
    ].map((code): [string, unknown] => [code, coded(code, `connect ${code}`)]),
    [
      'two addresses of one name, neither of which answers',
      Object.assign(new AggregateError([coded('ECONNREFUSED'), coded('ECONNREFUSED')]), {
        code: 'ECONNREFUSED',
      }),
    ],
    // SQLSTATEs of the server, in the forms in which pg and Prisma report them.
    ...[
      '08006',
      '25P03',
      '25P04',
      '53300',
      '57014',
      '57P01',
      '57P02',
      '57P03',
      '57P05',
      '58030',
    ].flatMap((state): [string, unknown][] => [
      [state, coded(state)],
      [`${state}, raw`, raw(state)],
      [`${state}, by a model`, prisma('P2039', { originalCode: state, kind: 'postgres' })],
      [
        `${state}, by a commit`,
        Object.assign(new Error('no'), { cause: { originalCode: state, kind: 'postgres' } }),
      ],
    ]),
    // Errors of Prisma's driver adapter. The adapter omits the original code.
    ...[
      'ConnectionClosed',
      'DatabaseNotReachable',
      'SocketTimeout',
      'TlsConnectionError',
      'TooManyConnections',
    ].flatMap((kind): [string, unknown][] => [
      [`${kind}, raw`, prisma('P2010', { kind })],
      [`${kind}, by a commit`, Object.assign(new Error(kind), { cause: { kind } })],
    ]),
    // Prisma's own codes for a failed query of a model or a failed transaction.
    ...['P1001', 'P1002', 'P1008', 'P1011', 'P1017', 'P2024', 'P2037'].map(
      (code): [string, unknown] => [code, coded(code)],
    ),
    ...[
      'Unable to start a transaction in the given time.',
      'A commit cannot be executed on an expired transaction.',
      'Transaction already closed: A query cannot be executed on a transaction that was rolled back.',
    ].map((message): [string, unknown] => [
      message,
      coded('P2028', `Transaction API error: ${message}`),
    ]),
  ])('recognize an outage: %s', (_name, error) => {
    expect([isOutage(error), isInvalidData(error)]).toEqual([true, false]);
  });

  it('terminate for an error that is its own cause', () => {
    const error = new Error('round');
    error.cause = error;
    expect(sqlState(error)).toBeUndefined();
  });
});
