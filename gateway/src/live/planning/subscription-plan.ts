import '../../quiet-apollo.ts';
import { operationFromDocument } from '@apollo/federation-internals';
import { type PlanNode, type QueryPlan, QueryPlanner } from '@apollo/query-planner';
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
import { authorizationError } from '../../auth/authorization-error.ts';
import { createRequirements } from '../../auth/field-requirements.ts';
import { findBadInput } from '../../errors/bad-input.ts';
import type { ParsedOperation } from '../../limits/operation-parser.ts';
import { createApolloExecutor } from '../../plan-execution/apollo-executor.ts';
import { createOwnExecutor } from '../../plan-execution/own-executor.ts';
import type { PlanExecutor, PreparedPlan } from '../../plan-execution/plan-executor.ts';
import type { LoadedSupergraph } from '../../supergraph.ts';
import { rootField, withoutCursor } from './cursor-argument.ts';
import { readPrivateFields } from './private-fields.ts';
import { readStreamDirectives, type StreamDirectives } from './stream-directives.ts';
import { createUpstreamOperation, type UpstreamOperation } from './upstream-operation.ts';

/** The name under which the plan of an event asks for the event itself. */
export const EVENT_SERVICE = '$event';

/** How a subscription runs: what one subgraph is asked for, and what is added to each event. */
export interface SubscriptionPlan extends ParsedOperation {
  /** The same for operations that differ in nothing but layout, name and cursor. */
  readonly normalised: string;
  /** The variables that it uses, which tell its streams apart. */
  readonly streamVariables: readonly string[];
  /** The value of the cursor's argument, when the operation has one. */
  readonly cursor: ValueNode | undefined;
  /** Whether what it shows depends on who asks. */
  readonly isPrivate: boolean;
  /** The subgraph that the events come from. */
  readonly subgraph: string;
  readonly upstream: UpstreamOperation;
  /** The variables that the subgraph's part uses. */
  readonly variables: readonly string[];
  /** Runs for each event, with the event as the answer of `EVENT_SERVICE`. */
  readonly executeEvent: PreparedPlan;
}

/** A subscription that cannot run, with every reason. */
export class RefusedOperation extends Error {
  readonly errors: readonly GraphQLError[];

  constructor(errors: readonly GraphQLError[]) {
    super(errors.map(({ message }) => message).join('\n'));
    this.errors = errors;
  }
}

/** @throws {RefusedOperation} also when whoever asks may not run it */
export type SubscriptionPlanner = (read: ParsedOperation, asking: Identity) => SubscriptionPlan;

/**
 * Validates and plans subscriptions, each operation once for as long as its document is kept.
 * @param hideSuggestions whether "Did you mean" would tell too much of the schema
 */
export function createSubscriptionPlanner(
  supergraph: LoadedSupergraph,
  { hideSuggestions }: { hideSuggestions: boolean },
): SubscriptionPlanner {
  const planner = new QueryPlanner(supergraph.model);
  const executor = createOwnExecutor(supergraph, createApolloExecutor(supergraph));
  const directivesOf = readStreamDirectives(supergraph);
  const touchesPrivate = readPrivateFields(supergraph);
  const requirementsOf = createRequirements(supergraph);
  const plans = new WeakMap<object, SubscriptionPlan>();
  return (read, asking) => {
    const known = plans.get(read.operation);
    if (!known) refuseInvalid(read, supergraph, hideSuggestions);
    const unmet = authorizationError(requirementsOf(read), asking);
    if (unmet) throw new RefusedOperation([unmet]);
    if (known) return known;
    const isPrivate = touchesPrivate(read.document);
    const plan = {
      ...planSubscription(read, supergraph, planner, executor, directivesOf),
      isPrivate,
    };
    plans.set(read.operation, plan);
    return plan;
  };
}

function refuseInvalid(
  { document }: ParsedOperation,
  { schema }: LoadedSupergraph,
  hideSuggestions: boolean,
): void {
  const errors = validateSafely(schema, document, specifiedRules, { hideSuggestions });
  if (errors.length === 0) return;
  const badInput = findBadInput(errors, document, schema);
  for (const error of errors) {
    Object.assign(error.extensions, badInput.get(error) ?? { code: 'GRAPHQL_VALIDATION_FAILED' });
  }
  throw new RefusedOperation(errors);
}

function planSubscription(
  { document, operation }: ParsedOperation,
  supergraph: LoadedSupergraph,
  planner: QueryPlanner,
  executor: PlanExecutor,
  directivesOf: (field: string) => StreamDirectives,
): Omit<SubscriptionPlan, 'isPrivate'> {
  const name = operation.name?.value;
  const given = separateOperations(document)[name ?? ''] ?? document;
  const root = rootField(given) as FieldNode;
  const directives = directivesOf(root.name.value);
  const { document: own, cursor } = directives.resume
    ? withoutCursor(given, root, directives.resume.argument)
    : { document: given, cursor: undefined };
  const options = name === undefined ? {} : { operationName: name };
  const { node } = planner.buildQueryPlan(
    operationFromDocument(supergraph.apiSchema, own, options),
  );
  if (node?.kind !== 'Subscription') {
    throw new RefusedOperation([
      new GraphQLError('This subscription asks no subgraph for anything', {
        extensions: { code: 'GRAPHQL_VALIDATION_FAILED' },
      }),
    ]);
  }
  const { primary, rest } = node;
  // Executors refuse a Subscription node, and run the same as a query whose first fetch
  // is answered with the event: 30–42 µs an event, aliases and key stripping come out right.
  const event = { ...primary, serviceName: EVENT_SERVICE, operationKind: 'query' } as PlanNode;
  const plan: QueryPlan = {
    kind: 'QueryPlan',
    node: { kind: 'Sequence', nodes: rest ? [event, rest] : [event] },
  };
  return {
    document,
    operation,
    normalised: print(withoutName(own)),
    streamVariables: variablesOf(own),
    cursor,
    subgraph: primary.serviceName,
    upstream: createUpstreamOperation(
      { query: primary.operation, operationName: primary.operationName },
      directives,
    ),
    variables: primary.variableUsages ?? [],
    executeEvent: executor.prepare({ document: own, operationName: name, plan }),
  };
}

function variablesOf(document: DocumentNode): string[] {
  return document.definitions.flatMap((definition) =>
    definition.kind === Kind.OPERATION_DEFINITION
      ? (definition.variableDefinitions ?? []).map(({ variable }) => variable.name.value)
      : [],
  );
}

/** Names of operations are for people: two clients that name theirs differently share a stream. */
function withoutName(document: DocumentNode): DocumentNode {
  const definitions = document.definitions.map((definition) =>
    definition.kind === Kind.OPERATION_DEFINITION ? { ...definition, name: undefined } : definition,
  );
  return { ...document, definitions: definitions as DefinitionNode[] };
}
