import type { GraphQLFormattedError } from 'graphql';
import type { RequestError } from '../errors/request-error.ts';
import type { ReturnedHeaders, SelectReturned } from '../headers/returned-headers.ts';
import type { HttpReply } from './http-request.ts';

/** A subgraph's response to an operation. */
export interface SubgraphAnswer {
  data?: Record<string, unknown> | null;
  errors?: readonly GraphQLFormattedError[];
  extensions?: Record<string, unknown>;
}

/**
 * An answer that several executions share. Each call returns a new copy, because executions merge
 * later answers into their copy.
 */
export interface SharedAnswer {
  (): SubgraphAnswer;
  readonly hasErrors: boolean;
  /** Whether the subgraph did not answer, or answered with an HTTP status of 400 or more. */
  readonly hasFailed: boolean;
  /** Whether the HTTP status says that the subgraph is unavailable or overloaded: 502, 503 or 504. */
  readonly isOutage: boolean;
  /** Size of the answer. */
  readonly bytes: number;
  /** Headers that the client receives. An answer with such headers must not be shared. */
  readonly returned?: ReturnedHeaders | undefined;
  /** Why the gateway has not read the whole answer; undefined if it has. */
  readonly refusal?: RequestError;
}

/**
 * Parses a subgraph's answer.
 * @param select selects the headers that the client receives; undefined if there are none
 * @throws if the text is not a GraphQL response
 */
export function parseSharedAnswer(
  { text, statusCode, headers, bytes }: HttpReply,
  select?: SelectReturned,
): SharedAnswer {
  const parse = (): SubgraphAnswer => {
    const answer = parseAnswer(text);
    markAbsentEntities(answer);
    return answer;
  };
  let first: SubgraphAnswer | undefined = parse();
  const hasErrors = first.errors !== undefined;
  const next = (): SubgraphAnswer => {
    const answer = first ?? parse();
    first = undefined;
    return answer;
  };
  const returned = select?.(headers);
  const hasFailed = statusCode >= 400;
  const isOutage = isOutageStatus(statusCode);
  return Object.assign(next, { hasErrors, hasFailed, isOutage, bytes, returned });
}

/** Whether a status says that a server behind a proxy, or the server itself, is unavailable. */
export function isOutageStatus(statusCode: number): boolean {
  return statusCode >= 502 && statusCode <= 504;
}

function parseAnswer(text: string): SubgraphAnswer {
  const answer: unknown = JSON.parse(text);
  if (isObject(answer) && isAnswer(answer)) return answer;
  throw new Error('the answer is JSON, but not a GraphQL response');
}

/** Whether an object has the format of a response (GraphQL, 7.1). */
function isAnswer({ data, errors }: Readonly<Record<string, unknown>>): boolean {
  if (data !== undefined && data !== null && !isObject(data)) return false;
  if (errors === undefined) return data !== undefined;
  if (!Array.isArray(errors)) return false;
  return errors.every((error) => isObject(error) && hasMessage(error));
}

/** Some servers omit the message. */
function hasMessage({ message }: Readonly<Record<string, unknown>>): boolean {
  return message === undefined || typeof message === 'string';
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Type name that no schema contains. Executors return null for an object of such a type. */
const ABSENT = '$absent';

/**
 * Makes the whole object of an absent entity null in the result. A subgraph sends
 * `extensions: {gudang: {absentEntities: true}}` if its null entities do not exist for the caller.
 * Without this function, @apollo/gateway would keep such an object and set only its nullable fields
 * to null.
 */
function markAbsentEntities({ data, extensions }: SubgraphAnswer): void {
  const marks = extensions?.['gudang'] as { absentEntities?: unknown } | undefined;
  const entities = data?.['_entities'];
  if (marks?.absentEntities !== true || !Array.isArray(entities)) return;
  for (const [index, entity] of entities.entries()) {
    if (entity === null) entities[index] = { __typename: ABSENT };
  }
}
