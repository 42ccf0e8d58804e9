import { createSourceEventStream, type ExecutionArgs, type ExecutionResult } from 'graphql';
import type { EventTurns } from './event-turns.ts';
import type { CompiledOperation } from './execution/compiled-operation.ts';

/** A subscription and the way in which its events are executed. */
export interface SubscribeArgs extends ExecutionArgs {
  /** Executes each event. With errors of variables, the subscription has no events. */
  readonly bound: ReturnType<CompiledOperation['bind']>;
  /** Whether the events are costly to execute. */
  readonly isCostly: boolean;
  /** Whether the events are sent with pauses. */
  readonly isSlow: boolean;
}

type Results = AsyncGenerator<ExecutionResult, void, void>;

/**
 * Subscribes like `subscribe` of graphql-js, but executes each event in its turn. A subscription that has
 * been left does not execute the event that waits.
 */
export async function subscribeInTurns(
  args: SubscribeArgs,
  turns: EventTurns,
): Promise<Results | ExecutionResult> {
  const source = await createSourceEventStream(args);
  return Symbol.asyncIterator in source ? new EventResults(args, source, turns) : source;
}

class EventResults implements Results {
  readonly #args: SubscribeArgs;
  readonly #events: AsyncIterator<unknown>;
  readonly #turns: EventTurns;
  #hasEnded = false;

  constructor(args: SubscribeArgs, events: AsyncIterable<unknown>, turns: EventTurns) {
    this.#args = args;
    this.#events = events[Symbol.asyncIterator]();
    this.#turns = turns;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  async next(): Promise<IteratorResult<ExecutionResult, void>> {
    const event = await this.#events.next();
    if (event.done) return DONE;
    try {
      if (this.#args.isCostly) return await this.#turns.runCostly(() => this.#run(event.value));
      const turn = this.#args.isSlow ? this.#turns.nextSlow() : this.#turns.next();
      if (turn !== undefined) await turn;
      return await this.#run(event.value);
    } catch (error) {
      await this.return().catch(() => {});
      throw error;
    }
  }

  async return(): Promise<IteratorResult<ExecutionResult, void>> {
    this.#hasEnded = true;
    await this.#events.return?.();
    return DONE;
  }

  async throw(error: unknown): Promise<IteratorResult<ExecutionResult, void>> {
    await this.return();
    throw error;
  }

  async #run(rootValue: unknown): Promise<IteratorResult<ExecutionResult, void>> {
    if (this.#hasEnded) return DONE;
    const { bound, contextValue } = this.#args;
    const value = bound.errors ? bound : await bound.execute(rootValue, contextValue);
    return { value, done: false };
  }
}

const DONE = { value: undefined, done: true } as const;
