import { badRequest } from '../errors/request-error.ts';
import type { JsonObject, RequestFields } from './graphql-request.ts';

/**
 * Reads the fields of a request from a JSON object. Other keys are ignored. `null` means absent.
 * @throws {RequestError} 400 if a field has a type that is not allowed
 */
export function readFields(body: JsonObject): RequestFields {
  return {
    query: stringIn(body, 'query'),
    operationName: stringIn(body, 'operationName') || undefined,
    variables: objectIn(body, 'variables') ?? {},
    extensions: objectIn(body, 'extensions'),
  };
}

/** Whether a request names an operation, by its text or by the id of a persisted query. */
export function namesOperation({ query, extensions }: RequestFields): boolean {
  return Boolean(query) || Boolean(extensions?.['persistedQuery']);
}

function stringIn(body: JsonObject, name: string): string | undefined {
  const value = ownValue(body, name);
  if (value === undefined || typeof value === 'string') return value;
  throw badRequest(`'${name}' must be a string, not ${kindOf(value)}`);
}

function objectIn(body: JsonObject, name: string): JsonObject | undefined {
  const value = ownValue(body, name);
  if (value === undefined || isObject(value)) return value;
  throw badRequest(`'${name}' must be a JSON object, not ${kindOf(value)}`);
}

function ownValue(body: JsonObject, name: string): unknown {
  return Object.hasOwn(body, name) ? (body[name] ?? undefined) : undefined;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
