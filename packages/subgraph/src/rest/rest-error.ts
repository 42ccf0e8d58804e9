import type { Logger } from '@gudang/runtime';
import {
  BODY_LIMIT,
  describeInvalid,
  invalidIn,
  MisdirectedRequest,
  maskError,
  ServiceError,
} from '@gudang/runtime';
import { errorTrace, traceId } from '@gudang/runtime/tracing';

/**
 * The response to a failed request of the legacy REST API. The legacy system did not use the statuses
 * 401, 403, 421 and 429. All other statuses are the same as in the legacy system.
 */
export interface RestError {
  readonly status: 400 | 401 | 403 | 404 | 421 | 422 | 429 | 500;
  readonly body: { readonly Message: string; readonly Error: string };
}

/** The REST names of GraphQL arguments, such as `{ 'input.productId': 'productid' }`. */
export type FieldNames = Readonly<Record<string, string>>;

const REFUSED = 'Format Request Tidak Sesuai';
const UNKNOWN = 'Tidak Terautentikasi';
const FORBIDDEN = 'Akses Ditolak';
const TOO_MANY = 'Terlalu Banyak Permintaan';
const MISSING = 'Data Tidak Ditemukan';
const FAILED = 'Terjadi Kesalahan Pada Server';

/** Messages for requests that the HTTP server cannot parse, by Fastify's error code. */
const UNREADABLE: Readonly<Record<string, string>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'The body must be JSON, with Content-Type: application/json',
  FST_ERR_CTP_BODY_TOO_LARGE: `The body must have at most ${BODY_LIMIT / 1024} KiB`,
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'The body must be as long as Content-Length says',
  FST_ERR_BAD_URL: 'The address must be valid percent-encoded UTF-8',
};

export function badRequest(error: string): RestError {
  return { status: 400, body: { Message: REFUSED, Error: error } };
}

export function notFound(error: string): RestError {
  return { status: 404, body: { Message: MISSING, Error: error } };
}

/**
 * Returns the response to an error. An internal error is logged, and the response contains only the id of
 * the log line.
 * @param where the route, for the log
 * @param traceparent traceparent of the request. It is logged if the error has no trace
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
  if (error instanceof MisdirectedRequest) {
    return { status: 421, body: { Message: REFUSED, Error: error.message } };
  }
  const { code, statusCode } = (error ?? {}) as { code?: unknown; statusCode?: unknown };
  if (code === 'FST_ERR_MAX_PARAM_LENGTH') return notFound('There is nothing with so long an id');
  if (typeof statusCode === 'number' && statusCode < 500) {
    return badRequest(UNREADABLE[String(code)] ?? 'The request cannot be read');
  }
  const { message, errorId } = maskError(
    error,
    log,
    { where, trace_id: errorTrace(error) ?? traceId(traceparent) },
    isOutage,
  );
  return { status: 500, body: { Message: FAILED, Error: `${message} (${errorId})` } };
}

function ofService(error: ServiceError, names: FieldNames): RestError {
  const { code, message, details } = error;
  const argument = String(details['argument'] ?? '');
  const name = names[argument] ?? argument;
  if (code === 'NOT_FOUND') return notFound(message);
  if (code === 'UNAUTHENTICATED')
    return { status: 401, body: { Message: UNKNOWN, Error: message } };
  if (code === 'FORBIDDEN') return { status: 403, body: { Message: FORBIDDEN, Error: message } };
  if (code === 'RATE_LIMITED') return { status: 429, body: { Message: TOO_MANY, Error: message } };
  const invalid = invalidIn(error);
  if (invalid) {
    // The id is part of the URL, so the status for an invalid id is 404, as for an unknown id.
    const respond = invalid.some((one) => one.argument === 'id') ? notFound : badRequest;
    const named = invalid.map((one) => ({ ...one, argument: names[one.argument] ?? one.argument }));
    return respond(describeInvalid(named, details['omitted'] as number | undefined));
  }
  if (code === 'UNAVAILABLE') return { status: 500, body: { Message: FAILED, Error: message } };
  const conflict = code === 'IDEMPOTENCY_CONFLICT';
  const text = conflict ? `This ${name} was used with another body; use a new one` : message;
  return { status: 422, body: { Message: REFUSED, Error: text } };
}
