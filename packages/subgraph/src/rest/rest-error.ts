import type { Logger } from '@gudang/runtime';
import { BODY_LIMIT, maskError, ServiceError } from '@gudang/runtime';
import { errorTrace, traceId } from '@gudang/runtime/tracing';

/** How a request of the earlier REST interface failed; its clients know all but 401 and 403. */
export interface RestError {
  readonly status: 400 | 401 | 403 | 404 | 422 | 500;
  readonly body: { readonly Message: string; readonly Error: string };
}

/** What a client of REST calls an argument: `{ 'input.productId': 'productid' }`. */
export type FieldNames = Readonly<Record<string, string>>;

const REFUSED = 'Format Request Tidak Sesuai';
const UNKNOWN = 'Tidak Terautentikasi';
const FORBIDDEN = 'Akses Ditolak';
const MISSING = 'Data Tidak Ditemukan';
const FAILED = 'Terjadi Kesalahan Pada Server';

/** What the HTTP server says of a request that it cannot read, by its own codes. */
const UNREADABLE: Readonly<Record<string, string>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'The body must be JSON, with Content-Type: application/json',
  FST_ERR_CTP_BODY_TOO_LARGE: `The body must have at most ${BODY_LIMIT / 1024} KiB`,
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'The body must be as long as Content-Length says',
  FST_ERR_BAD_URL: 'The address must be valid percent-encoded UTF-8',
};

export function refused(error: string): RestError {
  return { status: 400, body: { Message: REFUSED, Error: error } };
}

export function missing(error: string): RestError {
  return { status: 404, body: { Message: MISSING, Error: error } };
}

/**
 * What a client sees of an error. One that was not meant for clients goes to the log, under an id
 * that the client is told.
 * @param where the route, for the log
 * @param traceparent of the request: the log names its trace, unless the error has one of its own
 */
export function toRestError(
  error: unknown,
  {
    names,
    log,
    where,
    traceparent,
    isOutage,
  }: {
    names: FieldNames;
    log: Logger;
    where: string;
    traceparent?: string | undefined;
    isOutage?: ((error: unknown) => boolean) | undefined;
  },
): RestError {
  if (error instanceof ServiceError) return ofService(error, names);
  const { code, statusCode } = (error ?? {}) as { code?: unknown; statusCode?: unknown };
  if (code === 'FST_ERR_MAX_PARAM_LENGTH') return missing('There is nothing with so long an id');
  if (typeof statusCode === 'number' && statusCode < 500) {
    return refused(UNREADABLE[String(code)] ?? 'The request cannot be read');
  }
  const { message, errorId } = maskError(
    error,
    log,
    { where, trace_id: errorTrace(error) ?? traceId(traceparent) },
    isOutage,
  );
  return { status: 500, body: { Message: FAILED, Error: `${message} (${errorId})` } };
}

function ofService({ code, message, details }: ServiceError, names: FieldNames): RestError {
  const argument = String(details['argument'] ?? '');
  const name = names[argument] ?? argument;
  if (code === 'NOT_FOUND') return missing(message);
  if (code === 'UNAUTHENTICATED')
    return { status: 401, body: { Message: UNKNOWN, Error: message } };
  if (code === 'FORBIDDEN') return { status: 403, body: { Message: FORBIDDEN, Error: message } };
  if (code === 'BAD_USER_INPUT') {
    // The id is a part of the address: one that nothing can have is one that nothing has.
    const said = argument === 'id' ? missing : refused;
    return said(`${name} must be ${String(details['allowed'])}`);
  }
  if (code === 'UNAVAILABLE') return { status: 500, body: { Message: FAILED, Error: message } };
  const conflict = code === 'IDEMPOTENCY_CONFLICT';
  const text = conflict ? `This ${name} was used with another body; use a new one` : message;
  return { status: 422, body: { Message: REFUSED, Error: text } };
}
