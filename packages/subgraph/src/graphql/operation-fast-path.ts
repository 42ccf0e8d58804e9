import { setImmediate as nextIteration } from 'node:timers/promises';
import type { ApolloServerOptionsWithGateway } from '@apollo/server';
import { isTracing, isTracingAll } from '@gudang/runtime/tracing';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type ExecutionResult, execute, type GraphQLSchema } from 'graphql';
import { absentEntitiesIn } from './absent-entities.ts';
import { type CompiledOperation, compileOperation } from './execution/compiled-operation.ts';
import { createOperationCache } from './execution/operation-cache.ts';
import { isLargeResult } from './large-results.ts';

/** Work of Apollo Server's executor for a request. It is a property of the operation's context. */
const REQUESTED = Symbol('requested');

interface Requested {
  /** Called with the operation of the request before its execution. */
  readonly onCompiled?: (operation: CompiledOperation) => void;
  /** The result of the request, if it was executed before. */
  readonly executed?: ExecutionResult;
}

interface WithRequested {
  [REQUESTED]?: Requested;
}

/** Answers a request in place of Apollo Server, or passes it on. */
type Answer = (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>;

interface KnownOperation {
  readonly compiled: CompiledOperation;
  /** The headers with which Apollo Server answers. */
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/**
 * Executes an operation without Apollo Server after Apollo Server has answered it once without errors. From
 * then on, the text is known to be valid, and the headers of the answer are known. Apollo Server answers
 * requests with other members than `query`, `variables` and `operationName`, invalid variables, and requests
 * of traces. It also presents results with errors, but does not execute their operations again.
 * @param apollo answers a request with a context
 */
export function createOperationFastPath<C extends object>({
  apollo,
  createContext,
}: {
  apollo: (context: C, request: FastifyRequest, reply: FastifyReply) => Promise<unknown>;
  createContext: (request: FastifyRequest) => C;
}): Answer {
  const known = createOperationCache<KnownOperation>(({ compiled }) => compiled.document);
  const answerBy = (given: Requested, context: C, ...sent: Parameters<Answer>) => {
    (context as WithRequested)[REQUESTED] = given;
    return apollo(context, ...sent);
  };

  const answerAndKeep = async (key: string, context: C, ...sent: Parameters<Answer>) => {
    const [, reply] = sent;
    let compiled: CompiledOperation | undefined;
    const onCompiled = (operation: CompiledOperation): void => {
      compiled = operation;
    };
    const body = await answerBy({ onCompiled }, context, ...sent);
    if (compiled && reply.statusCode === 200 && isWithoutErrors(body)) {
      known.set(key, { compiled, headers: headersOf(reply) });
    }
    return body;
  };

  return async (request, reply) => {
    const context = createContext(request);
    const key = keyOf(request);
    if (key === undefined) return apollo(context, request, reply);
    const operation = known.get(key);
    if (!operation) return answerAndKeep(key, context, request, reply);
    const { variables } = request.body as KnownBody;
    const bound = operation.compiled.bind(variables);
    if (bound.errors) return apollo(context, request, reply);
    const executed = await bound.execute(undefined, context);
    if (executed.errors) return answerBy({ executed }, context, request, reply);
    const { data } = executed;
    if (isLargeResult(data)) await nextIteration();
    for (const [name, value] of operation.headers) void reply.header(name, value);
    const extensions = absentEntitiesIn(data);
    return JSON.stringify(extensions ? { data, extensions } : { data });
  };
}

/** Returns Apollo Server's `gateway`: it executes compiled operations of a schema. */
export function compiledExecutor<C extends object>(
  schema: GraphQLSchema,
): ApolloServerOptionsWithGateway<C>['gateway'] {
  return {
    load: async () => ({
      executor: async ({ context, document, operation, request: { operationName, variables } }) => {
        const { [REQUESTED]: requested } = context as WithRequested;
        if (requested?.executed) return requested.executed;
        if (!operation) return execute({ schema, document, operationName: operationName ?? null });
        const compiled = compileOperation(schema, document, operation);
        requested?.onCompiled?.(compiled);
        const bound = compiled.bind(variables);
        return bound.errors ? { errors: bound.errors } : bound.execute(undefined, context);
      },
    }),
    onSchemaLoadOrUpdate: (callback) => {
      callback({ apiSchema: schema, coreSupergraphSdl: '' });
      return () => {};
    },
    stop: async () => {},
  };
}

interface KnownBody {
  readonly query: string;
  readonly operationName?: string | null;
  readonly variables?: Readonly<Record<string, unknown>> | null;
}

/**
 * Returns a key that contains everything on which Apollo Server's answer depends, except variables and
 * caller. It contains the length of the operation name, so that different requests never share a key.
 * Undefined: Apollo Server answers the request.
 */
function keyOf({ method, headers, body }: FastifyRequest): string | undefined {
  const { accept = '', 'content-type': contentType = '', traceparent } = headers;
  if (method !== 'POST' || !contentType.startsWith('application/json')) return undefined;
  if (isTracing() && (isTracingAll() || isSampled(traceparent))) return undefined;
  if (!isKnownBody(body)) return undefined;
  const name = body.operationName ?? '';
  return `${contentType}\n${accept}\n${name.length} ${name}${body.query}`;
}

function isKnownBody(body: unknown): body is KnownBody {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return false;
  for (const name in body) {
    if (name !== 'query' && name !== 'variables' && name !== 'operationName') return false;
  }
  const { query, operationName = null, variables = null } = body as Record<string, unknown>;
  if (typeof query !== 'string' || query === '') return false;
  if (operationName !== null && typeof operationName !== 'string') return false;
  return typeof variables === 'object' && !Array.isArray(variables);
}

/** Whether the lowest bit of the flags of a traceparent is set. */
function isSampled(traceparent: unknown): boolean {
  return typeof traceparent === 'string' && /[13579bdf]$/.test(traceparent);
}

/** Whether an answer has data and no errors: Apollo Server writes `errors` before `data`. */
function isWithoutErrors(body: unknown): boolean {
  return typeof body === 'string' && body.startsWith('{"data"');
}

function headersOf(reply: FastifyReply): KnownOperation['headers'] {
  return Object.entries(reply.getHeaders()).flatMap(([name, value]) =>
    name === 'content-length' || value === undefined ? [] : [[name, String(value)] as const],
  );
}
