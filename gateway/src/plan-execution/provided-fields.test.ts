import { operationFromDocument } from '@apollo/federation-internals';
import { type QueryPlan, QueryPlanner } from '@apollo/query-planner';
import { type FieldNode, parse, visit } from 'graphql';
import { describe, expect, it } from 'vitest';
import { loadSupergraph } from '../supergraph.ts';
import { PLANNER_OPTIONS } from './plan-executor.ts';

const supergraph = await loadSupergraph();
const planner = new QueryPlanner(supergraph.model, PLANNER_OPTIONS);

/** Returns the names of all fields that a plan requests from a subgraph. */
function requestedFrom(subgraph: string, text: string): string[] {
  const plan = planner.buildQueryPlan(operationFromDocument(supergraph.apiSchema, parse(text)));
  const names = new Set<string>();
  for (const { serviceName, operation } of fetches(plan)) {
    if (serviceName !== subgraph) continue;
    visit(parse(operation), { Field: (node: FieldNode) => void names.add(node.name.value) });
  }
  return [...names];
}

function fetches(plan: QueryPlan): { serviceName: string; operation: string }[] {
  const found: { serviceName: string; operation: string }[] = [];
  JSON.stringify(plan, (_key, value) => {
    if (value?.kind === 'Fetch') found.push(value);
    return value;
  });
  return found;
}

const DECISION = ['status', 'rejectionReason', 'decidedAt', 'cancelledAt'];

/** Selections on an order, some with fields that only the order subgraph has. */
const SELECTIONS = [
  ['the decision', 'id status rejectionReason decidedAt cancelledAt'],
  ['the decision alone', 'status decidedAt'],
  [
    'a field of the order subgraph after the decision',
    'status rejectionReason decidedAt cancelledAt productId',
  ],
  [
    'a field of the order subgraph before the decision',
    'quantity cancelReason cancelledAt status decidedAt',
  ],
  ['its stock', 'status stock { id name } rejectionReason decidedAt'],
  ['fragments', '...F ... on Order { rejectionReason productId } decidedAt'],
  ['aliases', 'a: status b: status c: quantity reason: rejectionReason'],
  ['conditions', 'status @include(if: $yes) productId @skip(if: $yes) ...F @include(if: $yes)'],
  ['the type name', '__typename productId ... { status decidedAt }'],
] as const;

const PLACES = [
  [
    'a change',
    (order: string) => `subscription ($yes: Boolean!) { stockChanged { kind ${order} } }`,
  ],
  [
    'the ledger',
    (order: string) =>
      `query ($yes: Boolean!) { stocks { nodes { movements { nodes { ${order} } } orders { nodes { id quantity } } } } }`,
  ],
  [
    'the ledger of an order’s stock',
    (order: string) =>
      `query ($yes: Boolean!) { order(id: "1") { id quantity stock { movements { nodes { ${order} } } } } }`,
  ],
] as const;

describe.each(PLACES)('the order of %s', (_place, around) => {
  it.each(SELECTIONS)('shows the decision of the stock subgraph with %s', (_name, selection) => {
    const fragment = selection.includes('...F') ? 'fragment F on Order { status decidedAt }' : '';
    const condition = selection.includes('$yes') ? '' : '@include(if: $yes)';
    const text = `${around(`order ${condition} { ${selection} }`)} ${fragment}`;
    const fromOrder = requestedFrom('order', text);
    expect(fromOrder.filter((name) => DECISION.includes(name))).toEqual([]);
    expect(requestedFrom('stock', text)).toEqual(expect.arrayContaining(['status']));
  });
});

it('requests nothing from the order subgraph for the decision alone', () => {
  const text = 'subscription { stockChanged { kind order { id status decidedAt } } }';
  expect(requestedFrom('order', text)).toEqual([]);
});

it('reads the status of an order outside a change from the order subgraph', () => {
  expect(requestedFrom('order', '{ orders { nodes { status decidedAt } } }')).toContain('status');
});
