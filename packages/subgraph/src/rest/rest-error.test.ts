import {
  badUserInput,
  invalidArguments,
  MisdirectedRequest,
  notFound,
  ServiceError,
  unavailable,
} from '@gudang/runtime';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { toRestError } from './rest-error.ts';

const names = { 'input.productId': 'productid', 'input.idempotencyKey': 'Idempotency-Key' };

function presented(error: unknown) {
  const lines: string[] = [];
  const log = pino({ level: 'debug' }, { write: (line) => void lines.push(line) });
  const { status, body } = toRestError(error, {
    names,
    log,
    where: 'POST /order/add-order',
    isOutage: (cause) => (cause as { code?: string } | undefined)?.code === 'ECONNREFUSED',
  });
  return { status, ...body, lines };
}
const coded = (code: string, more: object = {}) =>
  Object.assign(new Error('internal'), { code, ...more });

describe('toRestError', () => {
  it.each([
    [
      'invalid input with its REST name',
      badUserInput('input.productId', 'a text'),
      400,
      'Format Request Tidak Sesuai',
      'productid must be a text',
    ],
    [
      'several invalid inputs',
      invalidArguments([
        { argument: 'input.productId', allowed: 'a text', problem: 'is empty' },
        { argument: 'input.quantity', allowed: 'a number' },
      ]),
      400,
      'Format Request Tidak Sesuai',
      'productid is empty; allowed: a text. input.quantity must be a number',
    ],
    [
      'an invalid id',
      badUserInput('id', 'a text of 1 to 100 characters'),
      404,
      'Data Tidak Ditemukan',
      'id must be a text of 1 to 100 characters',
    ],
    [
      'an unknown id',
      notFound('stock', 'x'),
      404,
      'Data Tidak Ditemukan',
      'There is no stock with the id "x"',
    ],
    [
      'a request with another host',
      new MisdirectedRequest(),
      421,
      'Format Request Tidak Sesuai',
      'The header Host must name localhost, a loopback address or a host that ALLOWED_HOSTS lists',
    ],
    [
      'an anonymous caller',
      new ServiceError('UNAUTHENTICATED', 'This needs a token'),
      401,
      'Tidak Terautentikasi',
      'This needs a token',
    ],
    [
      'a missing scope',
      new ServiceError('FORBIDDEN', 'This needs a scope'),
      403,
      'Akses Ditolak',
      'This needs a scope',
    ],
    [
      'a repeated idempotency key with another body',
      new ServiceError('IDEMPOTENCY_CONFLICT', 'This idempotencyKey …', {
        details: { argument: 'input.idempotencyKey' },
      }),
      422,
      'Format Request Tidak Sesuai',
      'This Idempotency-Key was used with another body; use a new one',
    ],
    [
      'an unavailable dependency',
      unavailable('Stock is unavailable; try again'),
      500,
      'Terjadi Kesalahan Pada Server',
      'Stock is unavailable; try again',
    ],
    [
      'a body with another content type',
      coded('FST_ERR_CTP_INVALID_MEDIA_TYPE', { statusCode: 415 }),
      400,
      'Format Request Tidak Sesuai',
      'The body must be JSON, with Content-Type: application/json',
    ],
    [
      'a body too large',
      coded('FST_ERR_CTP_BODY_TOO_LARGE', { statusCode: 413 }),
      400,
      'Format Request Tidak Sesuai',
      'The body must have at most 256 KiB',
    ],
  ])('presents %s', (_name, error, status, Message, text) => {
    expect(presented(error)).toEqual({ status, Message, Error: text, lines: [] });
  });

  it.each([
    ['an outage', coded('ECONNREFUSED'), /^The database does not answer right now; try again \(/],
    ['a bug', new TypeError('secret is not a function'), /^Internal error \(/],
    ['a thrown value that is not an error', undefined, /^Internal error \(/],
  ])('masks %s and logs it under the returned id', (_name, error, text) => {
    const { status, Message, Error: shown, lines } = presented(error);
    expect({ status, Message }).toEqual({ status: 500, Message: 'Terjadi Kesalahan Pada Server' });
    expect(shown).toMatch(text);
    expect(shown).not.toMatch(/secret|internal$/);
    const id = /\(([0-9a-f-]{36})\)$/.exec(shown)?.[1];
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { errorId: id, where: 'POST /order/add-order' },
    ]);
  });
});
