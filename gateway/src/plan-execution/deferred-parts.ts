import type { PlanNode } from '@apollo/query-planner';
import { GraphQLError } from 'graphql';
import type { DeferredItem, PartSink } from '../defer/part-sink.ts';
import { withCompletionErrors } from './completion-errors.ts';
import { DeferredFetches, labelsIn } from './deferred-fetches.ts';
import { type Data, isObject, own } from './merge-data.ts';
import type { ExecutedOperation, Values } from './plan-executor.ts';
import type { Execution } from './run-plan.ts';
import type { DeferredFragment, Shaped } from './shape-result.ts';

type Path = readonly (string | number)[];
type Deferred = DeferredFragment[];

/** Shapes the data of a result in parts. Both functions add the deferred fragments that they leave out. */
export interface PartShaping {
  readonly isMutation: boolean;
  readonly whole: (input: Data, deferred: Deferred) => Shaped;
  readonly fragment: (fragment: DeferredFragment, deferred: Deferred) => Shaped;
  /** Returns the client's label. */
  readonly labelOf: (label: string) => string | undefined;
}

/**
 * Delivers a result in parts: first the result without its deferred fragments, then each deferred fragment when
 * its data is complete. A fragment inside another one follows it, or is in the same part behind it.
 */
export class DeferredParts {
  readonly #shaping: PartShaping;
  readonly #sink: PartSink;
  readonly #fetches: DeferredFetches;
  /** Labels of the plan's parts whose fetches have not ended. */
  readonly #running: Set<string>;
  /** Fragments that were found in the data and not delivered yet. */
  #pending: Deferred = [];
  /** Errors that belong to no delivered part. */
  #unplaced: GraphQLError[] = [];
  #hasBegun = false;

  constructor(
    execution: Omit<Execution, 'errors'>,
    node: PlanNode | undefined,
    shaping: PartShaping,
    sink: PartSink,
  ) {
    this.#shaping = shaping;
    this.#sink = sink;
    this.#running = new Set(labelsIn(node));
    const onEnded = (label: string, errors: Execution['errors']): void => {
      this.#running.delete(label);
      this.#unplaced.push(...errors.map(toGraphQLError));
      if (this.#hasBegun) this.#deliver();
    };
    this.#fetches = new DeferredFetches(execution, onEnded, !shaping.isMutation);
  }

  /** Returns the first part. All others go to the sink; there are none if the sink has not begun. */
  async run(node: PlanNode | undefined): Promise<ExecutedOperation> {
    const errors = await this.#fetches.start(node);
    try {
      return this.#begin(errors.map(toGraphQLError));
    } catch (error) {
      // A subgraph's answer has the wrong structure.
      this.#fetches.stop();
      return { errors: [toGraphQLError(error as Error)], data: null };
    }
  }

  #begin(errors: readonly GraphQLError[]): ExecutedOperation {
    const found: Deferred = [];
    const { data, misfits } = this.#shaping.whole(this.#fetches.root, found);
    this.#pending = presentIn(data, found, 0);
    const hasNext = this.#pending.length > 0;
    const isPlaced = (error: GraphQLError): boolean => !hasNext || leadsInto(data, error.path);
    this.#unplaced.push(...errors.filter((error) => !isPlaced(error)));
    const all = withCompletionErrors(errors.filter(isPlaced), misfits);
    if (hasNext) {
      this.#hasBegun = true;
      this.#sink.begin();
      this.#deliver();
    } else this.#fetches.stop();
    return all ? { errors: all, data } : { data };
  }

  /** Delivers the fragments whose data is complete. */
  #deliver(): void {
    const items: DeferredItem[] = [];
    const hasNext = this.#running.size > 0;
    for (let next = this.#takeReady(); next; next = this.#takeReady()) {
      items.push(this.#shape(next, items.length === 0));
    }
    if (!hasNext && this.#unplaced.length > 0) {
      // Without a fragment for the errors, an empty one carries them.
      const first = items[0] ?? { label: undefined, path: [], data: {}, errors: undefined };
      items[0] = { ...first, errors: [...(first.errors ?? []), ...this.#unplaced] };
    }
    if (items.length > 0 || !hasNext) this.#sink.add(items, hasNext);
  }

  #takeReady(): DeferredFragment | undefined {
    const index = this.#pending.findIndex(({ label }) => !this.#running.has(label));
    return index < 0 ? undefined : this.#pending.splice(index, 1)[0];
  }

  /** @param isFirst whether it is the first one of a part, which gets the errors about no field */
  #shape(fragment: DeferredFragment, isFirst: boolean): DeferredItem {
    const { path } = fragment;
    const found: Deferred = [];
    const { data, misfits } = this.#shapeSafely(fragment, found);
    this.#pending.push(...presentIn(data, found, path.length));
    const isPlaced = (error: GraphQLError): boolean => {
      if (!error.path || error.path.length <= path.length) return isFirst;
      const isInside = path.every((key, index) => error.path?.[index] === key);
      return isInside && leadsInto(data, error.path.slice(path.length));
    };
    const placed = this.#unplaced.filter(isPlaced);
    this.#unplaced = this.#unplaced.filter((error) => !isPlaced(error));
    const errors = withCompletionErrors(placed, misfits);
    return { label: this.#shaping.labelOf(fragment.label), path, data, errors };
  }

  #shapeSafely(fragment: DeferredFragment, found: Deferred): Shaped {
    try {
      return this.#shaping.fragment(fragment, found);
    } catch (error) {
      found.length = 0;
      const { message } = error as Error;
      return { data: null, misfits: [{ message, path: fragment.path }] };
    }
  }
}

/** Returns the fragments whose object is in the data. Others are inside an object that became null. */
function presentIn(data: Values | null, found: Deferred, depth: number): Deferred {
  return found.filter(({ path }) => {
    let value: unknown = data;
    for (const key of path.slice(depth)) value = partOf(value, key);
    return isObject(value);
  });
}

/** Whether the field at a path, or an object around it that is null, is in the data. */
function leadsInto(data: Values | null, path: Path = []): boolean {
  let value: unknown = data;
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return true;
    value = partOf(value, key);
    if (value === undefined) return false;
  }
  return true;
}

function partOf(value: unknown, key: string | number): unknown {
  return typeof value === 'object' && value !== null ? own(value as Data, String(key)) : undefined;
}

function toGraphQLError(error: GraphQLError | Error): GraphQLError {
  if (error instanceof GraphQLError) return error;
  return new GraphQLError(error.message, { originalError: error });
}
