import type { FastifyRequest } from 'fastify';
import { idIn } from '../documents/known-documents.ts';
import { RequestRefused } from '../errors/request-refused.ts';
import type { Admission, AdmittedOperation } from '../limits/admission.ts';

/** A request that is no GraphQL over HTTP, with the status to answer. */
export class HttpRequestError extends RequestRefused {
  constructor(status: number, message: string) {
    super(status, message, { code: 'BAD_REQUEST' });
  }
}

/**
 * The operation of a request that is for a stream: a subscription, or anything where the client
 * takes nothing but events. Undefined for all others that may run, and for those that Apollo Server
 * refuses by itself.
 * @throws {RequestRefused} @throws {GraphQLError} what is wrong with the operation
 */
export function readHttpOperation(
  request: FastifyRequest,
  { admit }: Pick<Admission, 'admit'>,
  eventsOnly: boolean,
): AdmittedOperation | undefined {
  const given = (request.method === 'GET' ? request.query : request.body) ?? {};
  const { query, operationName, variables, extensions } = given as Record<string, unknown>;
  const told = readExtensions(extensions);
  if (typeof query !== 'string' && (query !== undefined || idIn(told) === undefined)) {
    return undefined;
  }
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
    if (forStream || error instanceof RequestRefused) throw error;
    return undefined;
  }
  const kind = admitted.operation.operation;
  if (kind !== 'subscription' && !eventsOnly) return undefined;
  if (kind === 'mutation' && request.method === 'GET') {
    throw new HttpRequestError(405, 'A mutation is sent by POST');
  }
  return admitted;
}

/** Of a GET they are JSON; what is none says nothing. */
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
    throw new HttpRequestError(400, 'The variables are no JSON');
  }
  if (value === undefined || value === null || value === '') return {};
  if (typeof value === 'object' && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new HttpRequestError(400, 'The variables must be a JSON object');
}
