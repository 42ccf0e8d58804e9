import type { Principal } from '@gudang/auth';
import { idempotencyKeysOf } from '@gudang/runtime';
import type { FastifyRequest } from 'fastify';
import { badRequest, RequestError } from '../errors/request-error.ts';
import { acceptedTypes } from './accepted-types.ts';
import { type GraphQLRequest, JSON_BODY, type JsonObject } from './graphql-request.ts';
import { isObject, namesOperation, readFields } from './request-fields.ts';

/** Headers that a browser sends only after a preflight; Apollo Server's CSRF prevention reads them. */
const PREFLIGHT_HEADERS = [
  'content-type',
  'x-apollo-operation-name',
  'apollo-require-preflight',
] as const;

/**
 * Reads a request over HTTP: the body of a POST, or the parameters of a GET. Every other part of the
 * request target and of the body is ignored.
 * @throws {RequestError} 400 if the request is malformed, 405 for another method
 */
export function readHttpRequest(request: FastifyRequest, principal: Principal): GraphQLRequest {
  const { method, headers } = request;
  if (method !== 'GET' && method !== 'POST') throw METHOD_NOT_ALLOWED;
  const accepts = acceptedTypes(headers.accept);
  const fields = readFields(method === 'GET' ? readTarget(request.url) : readBody(request.body));
  if (!namesOperation(fields)) throw NO_OPERATION;
  const preflight = method === 'POST' ? JSON_BODY : preflightHeaders(headers);
  const { query, operationName, variables, extensions } = fields;
  // A literal is faster than a spread.
  return {
    query,
    operationName,
    variables,
    extensions,
    principal,
    accepts,
    method,
    preflight,
    idempotencyKeys: idempotencyKeysOf(request.raw),
  };
}

const METHOD_NOT_ALLOWED = new RequestError(
  405,
  'GraphQL requests must be sent by GET or POST',
  { code: 'BAD_REQUEST' },
  { allow: 'GET, POST' },
);
const NO_OPERATION = badRequest(
  "A GraphQL request must have a non-empty 'query' or a 'persistedQuery' in its 'extensions'",
);

function readBody(body: unknown): JsonObject {
  if (isObject(body)) return body;
  if (Array.isArray(body)) {
    throw badRequest(
      'Operation batching is not supported: send each operation in a request of its own',
    );
  }
  throw badRequest('The body of a POST must be a JSON object, sent as application/json');
}

/**
 * Reads the parameters of a GET.
 * @throws {RequestError} 400 for a fragment, malformed percent-encoding, a repeated parameter, or JSON
 * that cannot be parsed
 */
function readTarget(target: string): JsonObject {
  const parameters = readParameters(target);
  return {
    query: parameters.get('query'),
    operationName: parameters.get('operationName'),
    variables: parseParameter(parameters, 'variables'),
    extensions: parseParameter(parameters, 'extensions'),
  };
}

/** Maximum number of characters of a parameter's name in an error message. */
const MAX_NAME_LENGTH = 100;

/** Reads the query component of a request target, strictly. @throws {RequestError} 400 */
export function readParameters(target: string): ReadonlyMap<string, string> {
  const start = target.indexOf('?');
  const search = start < 0 ? '' : target.slice(start + 1);
  try {
    decodeURIComponent(search);
  } catch {
    throw badRequest('The request target has malformed percent-encoding: it must encode UTF-8');
  }
  const parameters = new Map<string, string>();
  // The question mark is added, because URLSearchParams removes one at the start.
  for (const [name, value] of new URLSearchParams(`?${search}`)) {
    if (parameters.has(name)) {
      throw badRequest(`The parameter '${name.slice(0, MAX_NAME_LENGTH)}' is given twice`);
    }
    parameters.set(name, value);
  }
  return parameters;
}

function parseParameter(parameters: ReadonlyMap<string, string>, name: string): unknown {
  const text = parameters.get(name);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw badRequest(`The parameter '${name}' is not valid JSON`);
  }
}

function preflightHeaders(headers: FastifyRequest['headers']): Record<string, string> {
  const sent: Record<string, string> = {};
  for (const name of PREFLIGHT_HEADERS) {
    const value = headers[name];
    if (typeof value === 'string') sent[name] = value;
  }
  return sent;
}
