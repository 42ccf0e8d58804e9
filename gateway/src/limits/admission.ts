import type { OperationDefinitionNode } from 'graphql';
import type { PersistedQueries } from '../documents/persisted-queries.ts';
import { LimitExceeded } from '../errors/limit-exceeded.ts';
import { badRequest } from '../errors/request-error.ts';
import { createPassHeaderKey } from '../idempotency/header-key.ts';
import type { GraphQLRequest } from '../requests/graphql-request.ts';
import type { LoadedSupergraph } from '../supergraph.ts';
import { collectCostDirectives } from './cost-directives.ts';
import type { OperationLimits } from './limit-settings.ts';
import type { Variables } from './list-size.ts';
import { operationCost } from './operation-cost.ts';
import { createOperationParser, type ParsedOperation } from './operation-parser.ts';
import type { PlanningBudget } from './planning-budget.ts';

/** A request that is within all limits, but not yet validated. Only such requests are executed. */
export interface AdmittedRequest extends GraphQLRequest, ParsedOperation {
  /** The operation's text, even if the client has sent only its id. It may differ by the key of the header. */
  readonly query: string;
  readonly cost: number;
  /**
   * Whether the operation's cost is above a tenth of the limit, or its variables have more than 1,000
   * values.
   */
  readonly isCostly: boolean;
}

/** Share of the cost limit above which an operation is costly. */
const COSTLY_SHARE = 0.1;
/** Number of values in variables above which an operation is costly. */
const COSTLY_VALUES = 1_000;

type AdmissionGraph = Pick<LoadedSupergraph, 'model' | 'apiSchema' | 'schema'>;

/** Checks the size of every operation, on every protocol, before anything else handles it. */
export interface Admission {
  /**
   * Rejects deeply nested values and numbers out of range.
   * @param value parsed from JSON
   * @returns the number of values inside the value
   * @throws {RequestError}
   */
  readonly assertJsonValue: (value: unknown) => number;
  /**
   * Checks an operation against all limits. A mutation first gets the key of the header `Idempotency-Key`.
   * @param values result of `assertJsonValue` for an object that contains the request's variables and
   * extensions; by default, `admit` checks them
   * @throws {RequestError} if a limit is exceeded, or if the key cannot be honored
   * @throws {GraphQLError} for a syntax error
   */
  readonly admit: (request: GraphQLRequest, values?: number) => AdmittedRequest;
  /** Replaces the graph that determines the costs and takes the keys. */
  readonly use: (graph: AdmissionGraph) => void;
}

export function createAdmission({
  graph,
  documents,
  limits,
  planning,
}: {
  graph: AdmissionGraph;
  documents: Pick<PersistedQueries, 'textOf' | 'store'>;
  limits: OperationLimits;
  /** Limits the time for parsing new texts. */
  planning: Pick<PlanningBudget, 'plan'>;
}): Admission {
  const parser = createOperationParser(limits, (parse) => planning.plan(parse));
  let costOf = createCosts(graph);
  let passHeaderKey = createPassHeaderKey(graph);
  return {
    assertJsonValue: (value) => assertJsonValue(value, limits.nesting),
    use: (next) => {
      costOf = createCosts(next);
      passHeaderKey = createPassHeaderKey(next);
    },
    admit: (request, checked) => {
      const { operationName, extensions, principal, accepts, method, preflight } = request;
      const { idempotencyKeys } = request;
      const values =
        checked ??
        assertJsonValue({ variables: request.variables, extensions }, limits.nesting + 1);
      const sent = { query: documents.textOf(request), variables: request.variables };
      const received = parser.parse(sent.query, operationName);
      const { query, variables } =
        idempotencyKeys && received.operation.operation === 'mutation'
          ? passHeaderKey(idempotencyKeys, sent, received)
          : sent;
      const parsed = query === sent.query ? received : parser.parse(query, operationName);
      const cost = costOf(parsed, variables);
      const isStream = parsed.operation.operation === 'subscription';
      const max = isStream ? limits.streamCost : limits.cost;
      if (cost > max) throw new LimitExceeded('cost', { actual: Math.ceil(cost), max });
      if (received.isNew) parser.keep(sent.query, received.document);
      if (parsed.isNew) parser.keep(query, parsed.document);
      // Any page can send a GET without these headers. It must not fill the store.
      if (method === 'POST' || Object.keys(preflight).length > 0) documents.store(request);
      const { document, operation } = parsed;
      const isCostly = cost > limits.cost * COSTLY_SHARE || values > COSTLY_VALUES;
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
        idempotencyKeys,
        document,
        operation,
        cost,
        isCostly,
      };
    },
  };
}

function createCosts(graph: AdmissionGraph) {
  const directives = collectCostDirectives(graph);
  /** Costs of operations sent without variables: the same for each request. */
  const withoutVariables = new WeakMap<OperationDefinitionNode, number>();
  return (parsed: ParsedOperation, variables: Variables): number => {
    const isConstant = Object.keys(variables).length === 0;
    const known = isConstant ? withoutVariables.get(parsed.operation) : undefined;
    if (known !== undefined) return known;
    const cost = operationCost({ schema: graph.schema, directives, ...parsed }, variables);
    if (isConstant) withoutVariables.set(parsed.operation, cost);
    return cost;
  };
}

/**
 * Rejects a value that JSON.stringify could not write as it was received: a value nested so deeply
 * that recursive functions would overflow the stack, or a number such as 1e999, which would become
 * `null`. The check itself is not recursive.
 * @param value parsed from JSON
 * @returns the number of values inside the value
 * @throws {RequestError}
 */
export function assertJsonValue(value: unknown, maxNesting: number): number {
  let count = 0;
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > maxNesting) {
      throw new LimitExceeded('nesting', { actual: maxNesting, max: maxNesting, more: true });
    }
    const inside: unknown[] = [];
    for (const one of level) {
      if (typeof one !== 'object' || one === null) continue;
      const values = Object.values(one);
      count += values.length;
      for (const each of values) {
        if (typeof each === 'object' && each !== null) inside.push(each);
        else if (each === Infinity || each === -Infinity) throw OUT_OF_RANGE;
      }
    }
    level = inside;
  }
  return count;
}

const OUT_OF_RANGE = badRequest(
  'A number is out of range: numbers must be between -1.8e308 and 1.8e308',
);
