import '../../quiet-apollo.ts';
import type { PlanNode, QueryPlan } from '@apollo/query-planner';
import type { Identity } from '@gudang/auth';
import { validateSafely } from '@gudang/graphql';
import {
  type DefinitionNode,
  type DocumentNode,
  type FieldNode,
  GraphQLError,
  Kind,
  print,
  separateOperations,
  specifiedRules,
  type ValueNode,
} from 'graphql';
import { LRUCache } from 'lru-cache';
import { authorizationError, createRequirements } from '../../auth/field-requirements.ts';
import { deferRules } from '../../defer/defer-rules.ts';
import { findBadInput } from '../../errors/bad-input.ts';
import type { ParsedOperation } from '../../limits/operation-parser.ts';
import type { PlanningBudget } from '../../limits/planning-budget.ts';
import { createApolloExecutor } from '../../plan-execution/apollo-executor.ts';
import { createOwnExecutor } from '../../plan-execution/own-executor.ts';
import type {
  PlanExecutor,
  PlannedOperation,
  PreparedPlan,
  Values,
} from '../../plan-execution/plan-executor.ts';
import type { ReplacedNames } from '../../plan-execution/replaced-names.ts';
import {
  type ConditionVariants,
  keyOf,
  MAX_PLANS,
  readConditions,
} from '../../planning/condition-variants.ts';
import { createOperationPlanner } from '../../planning/operation-planner.ts';
import { drawFor, type LabelShares, readOverrides } from '../../planning/progressive-overrides.ts';
import type { ConditionValues } from '../../planning/prune-conditions.ts';
import type { LoadedSupergraph } from '../../supergraph.ts';
import { rootField, withoutCursor } from './cursor-argument.ts';
import { readPrivateFields } from './private-fields.ts';
import { readStreamDirectives, type StreamDirectives } from './stream-directives.ts';
import { createUpstreamOperation, type UpstreamOperation } from './upstream-operation.ts';

/** Service name in an event's query plan for the fetch that returns the event itself. */
export const EVENT_SERVICE = '$event';

/**
 * Plan of a subscription: the operation for the subgraph that sends the events, and the query plan
 * that completes each event.
 */
export interface SubscriptionPlan extends ParsedOperation {
  /** The operation's text; equal for operations that differ only in format, name or cursor. */
  readonly normalized: string;
  /** The names of the variables whose values distinguish the operation's streams. */
  readonly streamVariables: readonly string[];
  /** The value of the cursor argument, if the operation has one. */
  readonly cursor: ValueNode | undefined;
  /**
   * Whether the result depends on the caller, because a selected field or type has scope PRIVATE.
   */
  readonly isPrivate: boolean;
  /** The name of the subgraph that sends the events. */
  readonly subgraph: string;
  readonly upstream: UpstreamOperation;
  /** The names of the variables that the subgraph's operation uses. */
  readonly variables: readonly string[];
  /** The client's names that the subgraph's operation does not use; undefined if there are none. */
  readonly replaced: ReplacedNames | undefined;
  /** Whether events have fields of other subgraphs. */
  readonly isJoined: boolean;
  /** Executes the query plan of one event; the event is the response of `EVENT_SERVICE`. */
  readonly executeEvent: PreparedPlan;
}

/** Error for a subscription that is invalid or that the caller may not run. */
export class SubscriptionError extends Error {
  /** All reasons, each with a `code` in its extensions. */
  readonly errors: readonly GraphQLError[];

  constructor(errors: readonly GraphQLError[]) {
    super(errors.map(({ message }) => message).join('\n'));
    this.errors = errors;
  }
}

/**
 * Plans a subscription of a caller.
 * @param coerce returns the operation's variables with their defaults; called if the plan depends on them
 * @throws {SubscriptionError} GRAPHQL_VALIDATION_FAILED, BAD_USER_INPUT, UNAUTHENTICATED, FORBIDDEN
 */
export type SubscriptionPlanner = (
  operation: ParsedOperation,
  identity: Identity,
  coerce?: () => Values,
) => SubscriptionPlan;

/**
 * Creates a planner that validates and plans each operation once while its document is cached.
 * @param planning limits the time for planning
 * @param hideSuggestions whether to omit "Did you mean", which reveals names of the schema
 * @param shares shares of the labels of progressive overrides
 */
export function createSubscriptionPlanner(
  supergraph: LoadedSupergraph,
  {
    hideSuggestions,
    planning,
    shares,
  }: {
    hideSuggestions: boolean;
    planning?: PlanningBudget;
    shares?: LabelShares | undefined;
  },
): SubscriptionPlanner {
  const planner = createStreamPlanner(supergraph, shares);
  const executor = createOwnExecutor(supergraph, createApolloExecutor(supergraph));
  const directivesOf = readStreamDirectives(supergraph);
  const selectsPrivate = readPrivateFields(supergraph);
  const requirementsOf = createRequirements(supergraph);
  const findConditions = readConditions(supergraph);
  const plans = new WeakMap<object, KnownOperation>();
  const run = <T>(work: () => T): T => (planning ? planning.plan(work) : work());
  return (parsed, identity, coerce) => {
    const cached = plans.get(parsed.operation);
    if (!cached) run(() => assertValid(parsed, supergraph, hideSuggestions));
    const error = authorizationError(requirementsOf(parsed), identity);
    if (error) throw new SubscriptionError([error]);
    const known = cached ?? {
      conditions: findConditions(parsed),
      isPrivate: selectsPrivate(parsed.document),
      plans: new LRUCache({ max: MAX_PLANS }),
    };
    const values = known.conditions?.valuesOf(coerce?.());
    const key = values ? keyOf(values) : '';
    const found = known.plans.get(key);
    if (found) return found;
    const { isPrivate } = known;
    const plan = {
      ...run(() => planSubscription(parsed, values, planner, executor, directivesOf)),
      isPrivate,
    };
    known.plans.set(key, plan);
    plans.set(parsed.operation, known);
    return plan;
  };
}

/** A valid operation. */
interface KnownOperation {
  readonly conditions: ConditionVariants | undefined;
  readonly isPrivate: boolean;
  /** Plans by the values of the operation's conditions. */
  readonly plans: LRUCache<string, SubscriptionPlan>;
}

/** @param normalized text that is the same for all operations that share a stream */
type StreamPlanner = (
  document: DocumentNode,
  operationName: string | undefined,
  normalized: string,
  values: ConditionValues | undefined,
) => PlannedOperation;

/**
 * Creates the planner for streams. For progressive overrides, the text of an operation is the draw, so that
 * all gateways choose the same subgraph for a stream: its cursors are valid only there.
 */
function createStreamPlanner(
  supergraph: LoadedSupergraph,
  shares: LabelShares | undefined,
): StreamPlanner {
  const plan = createOperationPlanner(supergraph);
  const findOverrides = readOverrides(supergraph, shares);
  return (document, operationName, normalized, values) => {
    const overrides = findOverrides(document);
    const variant = overrides?.variantAt(drawFor(normalized)) ?? 0;
    return plan(document, operationName, overrides?.labelsOf(variant), values);
  };
}

const RULES = [...specifiedRules, ...deferRules];

function assertValid(
  { document }: ParsedOperation,
  { schema }: LoadedSupergraph,
  hideSuggestions: boolean,
): void {
  const errors = validateSafely(schema, document, RULES, { hideSuggestions });
  if (errors.length === 0) return;
  const badInput = findBadInput(errors, document, schema);
  for (const error of errors) {
    Object.assign(error.extensions, badInput.get(error) ?? { code: 'GRAPHQL_VALIDATION_FAILED' });
  }
  throw new SubscriptionError(errors);
}

function planSubscription(
  { document, operation }: ParsedOperation,
  values: ConditionValues | undefined,
  planner: StreamPlanner,
  executor: PlanExecutor,
  directivesOf: (field: string) => StreamDirectives,
): Omit<SubscriptionPlan, 'isPrivate'> {
  const name = operation.name?.value;
  const separated = separateOperations(document)[name ?? ''] ?? document;
  const root = rootField(separated) as FieldNode;
  const directives = directivesOf(root.name.value);
  const { document: own, cursor } = directives.resume
    ? withoutCursor(separated, root, directives.resume.argument)
    : { document: separated, cursor: undefined };
  const normalized = print(withoutName(own));
  const planned = planner(own, name, normalized, values);
  const { node } = planned.plan;
  if (node?.kind !== 'Subscription') {
    throw new SubscriptionError([
      new GraphQLError('This subscription selects no field of a subgraph.', {
        extensions: { code: 'GRAPHQL_VALIDATION_FAILED' },
      }),
    ]);
  }
  const { primary, rest } = node;
  // Executors reject a Subscription node. The same plan is therefore executed as a query whose
  // first fetch returns the event. This takes 30–42 µs per event. The result has the client's
  // aliases and does not contain the key fields that the planner added.
  const event = { ...primary, serviceName: EVENT_SERVICE, operationKind: 'query' } as PlanNode;
  const plan: QueryPlan = {
    kind: 'QueryPlan',
    node: { kind: 'Sequence', nodes: rest ? [event, rest] : [event] },
  };
  return {
    document,
    operation,
    normalized,
    streamVariables: variablesOf(own),
    cursor,
    subgraph: primary.serviceName,
    upstream: createUpstreamOperation(
      { query: primary.operation, operationName: primary.operationName },
      directives,
    ),
    variables: primary.variableUsages ?? [],
    isJoined: rest !== undefined,
    replaced: planned.replaced,
    executeEvent: executor.prepare({ ...planned, plan }),
  };
}

function variablesOf(document: DocumentNode): string[] {
  return document.definitions.flatMap((definition) =>
    definition.kind === Kind.OPERATION_DEFINITION
      ? (definition.variableDefinitions ?? []).map(({ variable }) => variable.name.value)
      : [],
  );
}

/** Removes the operation's name, so that clients share a stream regardless of the name. */
function withoutName(document: DocumentNode): DocumentNode {
  const definitions = document.definitions.map((definition) =>
    definition.kind === Kind.OPERATION_DEFINITION ? { ...definition, name: undefined } : definition,
  );
  return { ...document, definitions: definitions as DefinitionNode[] };
}
