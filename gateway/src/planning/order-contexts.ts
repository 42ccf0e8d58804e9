import type { DeferNode, FetchNode, PlanNode, QueryPlan } from '@apollo/query-planner';
import { PlanningError } from '../errors/planning-error.ts';
import { planPaths } from './plan-coverage.ts';

/**
 * Orders the fetches of a plan so that each value of a context (`@fromContext`) is fetched before the fetch whose
 * arguments have it. Apollo's planner may send both at once, if the field that gives the value belongs to another
 * subgraph than the type inside the context. The argument would be null then. Other plans are returned as they are.
 * @throws {PlanningError} if no order is right
 */
export function orderContexts(plan: QueryPlan): QueryPlan {
  const { node } = plan;
  if (!node || !JSON.stringify(node).includes('"contextRewrites"')) return plan;
  const ordering = new Ordering(planPaths(node, ''));
  if (node.kind !== 'Subscription') return { ...plan, node: ordering.order(node, '') };
  const primary = ordering.order(node.primary, '') as FetchNode;
  const rest = node.rest && ordering.order(node.rest, '');
  return { ...plan, node: { ...node, primary, ...(rest ? { rest } : {}) } };
}

class Ordering {
  /** Paths that the whole plan fetches. */
  readonly #all: ReadonlySet<string>;
  /** Paths that have been fetched before the current fetch. */
  #fetched = new Set<string>();

  constructor(all: ReadonlySet<string>) {
    this.#all = all;
  }

  order(node: PlanNode, path: string): PlanNode {
    switch (node.kind) {
      case 'Sequence':
        return { ...node, nodes: node.nodes.map((child) => this.order(child, path)) };
      case 'Parallel':
        return this.#orderParallel(node.nodes, path);
      case 'Flatten':
        return { ...node, node: this.order(node.node, joined(path, node.path)) };
      case 'Condition': {
        const { ifClause, elseClause } = node;
        return {
          ...node,
          ...(ifClause ? { ifClause: this.order(ifClause, path) } : {}),
          ...(elseClause ? { elseClause: this.order(elseClause, path) } : {}),
        };
      }
      case 'Defer':
        return this.#orderParts(node, path);
      case 'Fetch':
        for (const needed of neededPaths(node, path)) {
          if (this.#fetched.has(needed) || !this.#all.has(needed)) continue;
          const field = needed.slice(needed.lastIndexOf('.') + 1);
          throw new PlanningError(`the plan would use ${field} of a context before it is fetched`);
        }
        for (const fetched of planPaths(node, path)) this.#fetched.add(fetched);
        return node;
    }
  }

  /** A deferred part whose fetches need a value of the part around it waits for all of that part. */
  #orderParts({ primary, deferred, ...node }: DeferNode, path: string): DeferNode {
    const first = primary.node && this.order(primary.node, path);
    const around = this.#fetched;
    const parts = deferred.map((part) => {
      if (!part.node) return part;
      this.#fetched = new Set(around);
      const own = planPaths(part.node, path);
      const ids = new Set(part.depends.map(({ id }) => id));
      const received = new Set(primary.node ? pathsOfFetches(primary.node, path, ids) : []);
      const isReady = neededPaths(part.node, path).every(
        (needed) => own.has(needed) || received.has(needed) || !around.has(needed),
      );
      const depends = isReady ? part.depends : [];
      return { ...part, depends, node: this.order(part.node, path) };
    });
    this.#fetched = around;
    return { ...node, primary: first ? { ...primary, node: first } : primary, deferred: parts };
  }

  /** Sends the nodes at once of which none needs a value that another one fetches; then the next ones. */
  #orderParallel(nodes: readonly PlanNode[], path: string): PlanNode {
    let left = nodes.map((node) => ({
      node,
      gives: planPaths(node, path),
      needs: neededPaths(node, path),
    }));
    const steps: PlanNode[] = [];
    while (left.length > 0) {
      const ready = left.filter(
        (one) =>
          !left.some((other) => other !== one && one.needs.some((at) => other.gives.has(at))),
      );
      // In a circle, the first fetch that lacks a value is found when it is ordered.
      const next = ready.length > 0 ? ready : left;
      left = left.filter((one) => !next.includes(one));
      const ordered = next.map(({ node }) => this.order(node, path));
      const [only] = ordered;
      steps.push(only && ordered.length === 1 ? only : { kind: 'Parallel', nodes: ordered });
    }
    const [only] = steps;
    return only && steps.length === 1 ? only : { kind: 'Sequence', nodes: steps };
  }
}

/** Returns the paths that the fetches with the given ids fetch. */
function pathsOfFetches(node: PlanNode, path: string, ids: ReadonlySet<string>): string[] {
  switch (node.kind) {
    case 'Sequence':
    case 'Parallel':
      return node.nodes.flatMap((child) => pathsOfFetches(child, path, ids));
    case 'Flatten':
      return pathsOfFetches(node.node, joined(path, node.path), ids);
    case 'Fetch':
      return node.id !== undefined && ids.has(node.id) ? [...planPaths(node, path)] : [];
    default:
      return [];
  }
}

/** The paths of all values of contexts that a plan's arguments have. */
function neededPaths(node: PlanNode, path: string): readonly string[] {
  switch (node.kind) {
    case 'Sequence':
    case 'Parallel':
      return node.nodes.flatMap((child) => neededPaths(child, path));
    case 'Flatten':
      return neededPaths(node.node, joined(path, node.path));
    case 'Condition':
      return [node.ifClause, node.elseClause].flatMap((one) => (one ? neededPaths(one, path) : []));
    case 'Defer':
      return [node.primary.node, ...node.deferred.map((one) => one.node)].flatMap((one) =>
        one ? neededPaths(one, path) : [],
      );
    case 'Fetch':
      return (node.contextRewrites ?? []).map((rewrite) => {
        const up = rewrite.path.filter((part) => part === '..').length;
        const around = path.split('.').slice(0, up === 0 ? undefined : -up);
        const fields = rewrite.path.slice(up).filter((part) => !part.startsWith('... on '));
        return [...around, ...fields].join('.');
      });
  }
}

function joined(path: string, keys: readonly (string | number)[]): string {
  return [path, ...keys.filter((key) => key !== '@')].join('.');
}
