import { describe, expect, it } from 'vitest';
import { isOutage, isRefusedData, sqlState } from './sql-state.ts';

/** As Prisma 7.10 with @prisma/adapter-pg throws them (tried, raw and in a transaction alike). */
const prisma = (code: string, cause: object, message = '') =>
  Object.assign(new Error(message), {
    code,
    meta: { driverAdapterError: { name: 'DriverAdapterError', cause } },
  });
const raw = (originalCode: string, kind = 'postgres') =>
  prisma('P2010', { originalCode, originalMessage: 'no', kind });
const coded = (code: string, message = '') => Object.assign(new Error(message), { code });

describe('sqlState, isRefusedData and isOutage', () => {
  it.each<[string, unknown, string | undefined, boolean, boolean]>([
    ['a number out of range', raw('22003', 'ValueOutOfRange'), '22003', true, false],
    ['a NUL', raw('22021'), '22021', true, false],
    ['a check', raw('23514'), '23514', true, false],
    ['a null', raw('23502', 'NullConstraintViolation'), '23502', true, false],
    ['a check, by a model', prisma('P2039', { originalCode: '23514' }), '23514', true, false],
    ['a repeat', raw('23505', 'UniqueConstraintViolation'), '23505', false, false],
    ['a repeat, by a model', prisma('P2002', { originalCode: '23505' }), '23505', false, false],
    ['a deadlock', raw('40P01', 'TransactionWriteConflict'), '40P01', false, false],
    ['a raised exception', raw('P0001'), 'P0001', false, false],
    ['a missing table', raw('42P01'), '42P01', false, false],
    ['a killed session', raw('57P01'), '57P01', false, true],
    ['too many connections', raw('53300', 'TooManyConnections'), '53300', false, true],
    ['a full disk', raw('53100'), '53100', false, true],
    ['a standby', raw('25006'), '25006', false, true],
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
      'a refused connection, by a model',
      prisma('P1001', { kind: 'DatabaseNotReachable' }),
      undefined,
      false,
      true,
    ],
    ['an expired transaction', coded('P2028'), undefined, false, true],
    ['a pool with none to give', coded('P2024'), undefined, false, true],
    [
      'a silent server',
      new Error('Connection terminated due to connection timeout'),
      undefined,
      false,
      true,
    ],
    [
      'a server that hangs up',
      new Error('Connection terminated unexpectedly'),
      undefined,
      false,
      true,
    ],
    [
      'pg’s pool with none to give',
      new Error('timeout exceeded when trying to connect'),
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
    ['pg’s own', coded('22P02'), '22P02', true, false],
    ['a broken pipe, which looks like a state', coded('EPIPE'), undefined, false, true],
    ['a refused connection of Node', coded('ECONNREFUSED'), undefined, false, true],
    ['one below another', new Error('no', { cause: coded('57P03') }), '57P03', false, true],
    ['a bug', new TypeError('x is not a function'), undefined, false, false],
    ['no error', undefined, undefined, false, false],
  ])('know %s', (_name, error, state, refused, outage) => {
    expect([sqlState(error), isRefusedData(error), isOutage(error)]).toEqual([
      state,
      refused,
      outage,
    ]);
  });

  it('end with an error that is its own cause', () => {
    const error = new Error('round');
    error.cause = error;
    expect(sqlState(error)).toBeUndefined();
  });
});
