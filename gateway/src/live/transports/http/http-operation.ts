import type { FastifyRequest } from 'fastify';
import { idIn } from '../../../documents/persisted-queries.ts';
import { RequestError } from '../../../errors/request-error.ts';
import type { Admission, AdmittedOperation } from '../../../limits/admission.ts';
import { searchOf } from '../../../request-pipeline/apollo-pipeline.ts';

/** Error for a request that is not valid GraphQL over HTTP, with the status of the response. */
export class HttpRequestError extends RequestError {
  constructor(status: number, message: string) {
    super(status, message, { code: 'BAD_REQUEST' });
  }
}

/** A request over HTTP, after admission. */
export interface HttpOperation {
  /**
   * Undefined if the request was not admitted; Apollo Server then reports the reason and executes
   * nothing.
   */
  readonly admitted?: AdmittedOperation;
  /**
   * Whether the response is a stream, because the operation is a subscription or the client accepts
   * only event streams.
   */
  readonly forStream: boolean;
}

/**
 * Reads and admits the operation of a request.
 * @param eventsOnly whether the client accepts only event streams
 * @throws {RequestError}
 * @throws {GraphQLError} if the operation of a stream is invalid
 */
export function readHttpOperation(
  request: FastifyRequest,
  { admit }: Pick<Admission, 'admit'>,
  eventsOnly: boolean,
): HttpOperation {
  const given = request.method === 'GET' ? readSearch(request.url) : (request.body ?? {});
  const { query: text, operationName, variables, extensions } = given as Record<string, unknown>;
  const query = text ?? undefined;
  if (query !== undefined && typeof query !== 'string') {
    throw new HttpRequestError(400, 'GraphQL queries must be strings.');
  }
  const told = readExtensions(extensions);
  if (query === undefined && idIn(told) === undefined) return { forStream: false };
  let admitted: AdmittedOperation;
  try {
    admitted = admit({
      query,
      operationName: typeof operationName === 'string' ? operationName : undefined,
      variables: readVariables(variables),
      extensions: told,
    });
  } catch (error) {
    const forStream = eventsOnly || query?.includes('subscription');
    if (forStream || error instanceof RequestError) throw error;
    return { forStream: false };
  }
  const kind = admitted.operation.operation;
  const forStream = kind === 'subscription' || eventsOnly;
  if (forStream && kind === 'mutation' && request.method === 'GET') {
    throw new HttpRequestError(405, 'A mutation must be sent by POST');
  }
  return { admitted, forStream };
}

/**
 * Reads the parameters of a GET as Apollo Server does, but rejects duplicate parameters and
 * malformed percent-encoding.
 */
function readSearch(url: string): Record<string, string> {
  const search = searchOf(url);
  try {
    decodeURIComponent(search);
  } catch {
    throw new HttpRequestError(400, 'The request target has malformed percent-encoding');
  }
  const given = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(search)) {
    if (given.has(name)) {
      throw new HttpRequestError(400, `The parameter '${name.slice(0, 100)}' is given twice`);
    }
    given.set(name, value);
  }
  return Object.fromEntries(given);
}

/** Reads the extensions, which are JSON in a GET; invalid JSON is ignored. */
function readExtensions(extensions: unknown): unknown {
  try {
    return typeof extensions === 'string' ? JSON.parse(extensions) : extensions;
  } catch {
    return undefined;
  }
}

function readVariables(variables: unknown): Record<string, unknown> {
  let value = variables;
  try {
    if (typeof value === 'string' && value !== '') value = JSON.parse(value);
  } catch {
    throw new HttpRequestError(400, 'The variables are not valid JSON');
  }
  if (value === undefined || value === null || value === '') return {};
  if (typeof value === 'object' && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new HttpRequestError(400, 'The variables must be a JSON object');
}
