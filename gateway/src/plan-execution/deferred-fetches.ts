import type { PlanNode } from '@apollo/query-planner';
import { createBare } from './merge-data.ts';
import { type Execution, runNode } from './run-plan.ts';

type Errors = Execution['errors'];

/**
 * Runs the fetches of a plan with deferred parts. A part starts when the data that it needs has been received.
 * All fetches merge their data into `root`.
 */
export class DeferredFetches {
  readonly root = createBare();
  readonly #execution: Omit<Execution, 'errors'>;
  readonly #onEnded: (label: string, errors: Errors) => void;
  readonly #startsEarly: boolean;
  /** Fetches on which parts depend, by id. */
  readonly #awaited = new Map<
    string,
    { readonly ended: Promise<void>; readonly end: () => void }
  >();
  #isStopped = false;

  /**
   * @param onEnded called when the fetches of a deferred part have ended, except those of parts inside it
   * @param startsEarly whether a part starts before the part around it has ended. The parts of mutations must
   * not: in their plans, several fetches can have the same id
   */
  constructor(
    execution: Omit<Execution, 'errors'>,
    onEnded: (label: string, errors: Errors) => void,
    startsEarly: boolean,
  ) {
    this.#execution = execution;
    this.#onEnded = onEnded;
    this.#startsEarly = startsEarly;
  }

  /**
   * Runs a part of the plan, and starts the parts inside it.
   * @param around the part around it, which can also fetch its data
   * @returns the errors of its fetches, when both parts have ended. Never rejects
   */
  async start(node: PlanNode | undefined, around?: Promise<unknown>): Promise<Errors> {
    const { primary, deferred } =
      node?.kind === 'Defer' ? node : { primary: { node }, deferred: [] };
    const fetched = this.#run(primary.node);
    const ended = Promise.all([fetched, around]);
    for (const { label = '', depends, node: inner } of deferred) {
      const received = depends.map(({ id }) => this.#await(id).ended);
      // A fetch that a condition excludes never ends.
      const isReady =
        this.#startsEarly && received.length > 0
          ? Promise.race([Promise.all(received), ended])
          : ended;
      void isReady
        .then(() => this.start(inner, ended))
        .then((errors) => this.#onEnded(label, errors));
    }
    const [errors] = await ended;
    return errors;
  }

  /** No further request is sent. */
  stop(): void {
    this.#isStopped = true;
  }

  async #run(node: PlanNode | undefined): Promise<Errors> {
    const errors: Errors = [];
    if (!node || this.#isStopped) return errors;
    const fetches = this;
    const execution: Execution = {
      ...this.#execution,
      errors,
      onFetched: (id) => this.#await(id).end(),
      get isStopped() {
        return fetches.#isStopped;
      },
      set isStopped(stopped) {
        fetches.#isStopped = stopped;
      },
    };
    try {
      await runNode(execution, node, this.root);
    } catch (error) {
      errors.push(error as Error);
    }
    return errors;
  }

  #await(id: string) {
    const known = this.#awaited.get(id);
    if (known) return known;
    let end = (): void => {};
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    const added = { ended, end };
    this.#awaited.set(id, added);
    return added;
  }
}

/** Returns the labels of all deferred parts of a plan. */
export function labelsIn(node: PlanNode | undefined): string[] {
  if (node?.kind !== 'Defer') return [];
  return node.deferred.flatMap(({ label = '', node: inner }) => [label, ...labelsIn(inner)]);
}
