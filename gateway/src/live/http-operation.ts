import type { FastifyRequest } from 'fastify';
import { GraphQLError } from 'graphql';
import type { OperationReader, ReadOperation } from './operation-reader.ts';

/** A request that is no GraphQL over HTTP, with the status to answer. */
export class HttpRequestError extends GraphQLError {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message, { extensions: { code: 'BAD_REQUEST' } });
    this.status = status;
  }
}

export interface HttpOperation {
  readonly query: string;
  readonly variables: Record<string, unknown>;
  readonly operationName: string | undefined;
  readonly read: ReadOperation;
}

/**
 * The operation of a request that is for a stream: a subscription, or anything where the client
 * takes nothing but events. Undefined for all others.
 * @throws {HttpRequestError} @throws {GraphQLError} what is wrong with the operation
 */
export function readHttpOperation(
  request: FastifyRequest,
  read: OperationReader,
  eventsOnly: boolean,
): HttpOperation | undefined {
  const given = (request.method === 'GET' ? request.query : request.body) ?? {};
  const { query, operationName: name, variables } = given as Record<string, unknown>;
  if (typeof query !== 'string') return undefined;
  // Only texts that can hold a subscription are parsed here; Apollo parses the others itself.
  if (!eventsOnly && !query.includes('subscription')) return undefined;
  const operationName = typeof name === 'string' && name !== '' ? name : undefined;
  const operation = read(query, operationName);
  const kind = operation.operation.operation;
  if (kind !== 'subscription' && !eventsOnly) return undefined;
  if (kind === 'mutation' && request.method === 'GET') {
    throw new HttpRequestError(405, 'A mutation is sent by POST');
  }
  return { query, operationName, variables: readVariables(variables), read: operation };
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
