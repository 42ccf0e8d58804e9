import type {
  FetchDataRewrite,
  FetchNode,
  PlanNode,
  QueryPlanSelectionNode,
} from '@apollo/query-planner';
import { type DocumentNode, Kind, parse, print, stripIgnoredCharacters, visit } from 'graphql';
import type { PlannedOperation } from '../plan-execution/plan-executor.ts';
import type { HiddenFields } from './hidden-fields.ts';
import { type RequiredVariants, readRequiredVariants } from './required-variants.ts';
import { splitFetch } from './split-fetch.ts';

/**
 * Creates a function that replaces the hidden fields of plans by the fields for which they stand. In the
 * paths of errors as well, a hidden field has its real name.
 * @param supergraph the supergraph with the hidden fields
 */
export function createTranslation(
  supergraph: DocumentNode,
  hidden: HiddenFields,
): (planned: PlannedOperation) => PlannedOperation {
  const required = readRequiredVariants(supergraph, hidden);
  const realNames = [...hidden].map(([name, field]) => [name, field.name] as const);
  const translate = (node: PlanNode): PlanNode => translateNode(node, hidden, required);
  return (planned) => {
    const { node } = planned.plan;
    if (!node) return planned;
    const translated =
      node.kind === 'Subscription'
        ? {
            ...node,
            primary: translate(node.primary) as FetchNode,
            ...(node.rest ? { rest: translate(node.rest) } : {}),
          }
        : translate(node);
    const { responses = [], variables = new Map() } = planned.replaced ?? {};
    return {
      ...planned,
      plan: { ...planned.plan, node: translated },
      replaced: { responses: new Map([...realNames, ...responses]), variables },
    };
  };
}

/**
 * Replaces the hidden fields of a plan by the fields for which they stand: in the requests to subgraphs,
 * by the field with its arguments under the hidden field's name as alias; in representations, by the
 * field's name. A request whose representations would need two values for one field is sent in parts.
 */
function translateNode(node: PlanNode, hidden: HiddenFields, required: RequiredVariants): PlanNode {
  const translate = (one: PlanNode): PlanNode => translateNode(one, hidden, required);
  switch (node.kind) {
    case 'Sequence':
    case 'Parallel':
      return { ...node, nodes: node.nodes.map(translate) };
    case 'Flatten':
      return { ...node, node: translate(node.node) };
    case 'Condition':
      return {
        ...node,
        ...(node.ifClause ? { ifClause: translate(node.ifClause) } : {}),
        ...(node.elseClause ? { elseClause: translate(node.elseClause) } : {}),
      };
    case 'Defer': {
      const { primary, deferred } = node;
      return {
        ...node,
        primary: primary.node ? { ...primary, node: translate(primary.node) } : primary,
        deferred: deferred.map((one) => (one.node ? { ...one, node: translate(one.node) } : one)),
      };
    }
    case 'Fetch':
      return translateFetch(node, hidden, required);
    default:
      return node;
  }
}

function translateFetch(
  node: FetchNode,
  hidden: HiddenFields,
  required: RequiredVariants,
): PlanNode {
  if (!namesHidden(node, hidden)) return node;
  const parts = splitFetch(node, hidden, required).map((part): FetchNode => {
    const { requires, inputRewrites, operationDocumentNode: _, ...rest } = part;
    // The planner's own changes come last, because some of them change types, which paths contain.
    const rewrites = [...renamersIn(requires ?? [], hidden), ...(inputRewrites ?? [])];
    return {
      ...rest,
      ...(requires ? { requires } : {}),
      operation: translateOperation(part.operation, hidden),
      ...(rewrites.length > 0 ? { inputRewrites: rewrites } : {}),
    };
  });
  const [first] = parts;
  if (first && parts.length === 1) return first;
  if (node.id === undefined) return { kind: 'Parallel', nodes: parts };
  // Later fetches wait for all parts, so only the last part has the fetch's id.
  const last = parts.length - 1;
  const nodes = parts.map((part, index) => (index === last ? part : withoutId(part)));
  return { kind: 'Sequence', nodes };
}

function withoutId({ id: _, ...node }: FetchNode): FetchNode {
  return node;
}

function namesHidden({ operation, requires }: FetchNode, hidden: HiddenFields): boolean {
  const text = `${operation}${JSON.stringify(requires ?? [])}`;
  return [...hidden.keys()].some((name) => text.includes(name));
}

function translateOperation(operation: string, hidden: HiddenFields): string {
  const translated: DocumentNode = visit(parse(operation, { noLocation: true }), {
    Field: (field) => {
      const real = hidden.get(field.name.value);
      if (!real) return undefined;
      return {
        ...field,
        alias: field.alias ?? field.name,
        name: { kind: Kind.NAME, value: real.name },
        // A field with arguments from a context has these besides.
        arguments: [...(field.arguments ?? []), ...real.arguments],
      };
    },
  });
  return stripIgnoredCharacters(print(translated));
}

/** Returns the changes of representations that give hidden fields their real names, innermost first. */
function renamersIn(
  selections: readonly QueryPlanSelectionNode[],
  hidden: HiddenFields,
  path: readonly string[] = [],
): FetchDataRewrite[] {
  return selections.flatMap((one): FetchDataRewrite[] => {
    if (one.kind === Kind.INLINE_FRAGMENT) {
      const type = one.typeCondition;
      const inner = type === undefined ? path : [...path, `... on ${type}`];
      return renamersIn(one.selections, hidden, inner);
    }
    const own = [...path, one.alias ?? one.name];
    const inner = renamersIn(one.selections ?? [], hidden, own);
    const real = hidden.get(one.name);
    if (!real) return inner;
    return [...inner, { kind: 'KeyRenamer', path: own, renameKeyTo: real.name }];
  });
}
