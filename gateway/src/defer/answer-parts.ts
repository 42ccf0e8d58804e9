import type { GraphQLError, GraphQLFormattedError } from 'graphql';
import { answerTooLarge } from '../limits/answer-bytes.ts';
import type { DeferredItem, PartSink } from './part-sink.ts';

/**
 * The parts of an answer with `@defer` that follow its first one, as JSON texts of the format of August 2022
 * (`deferSpec=20220824`). Requests that share an execution read the same texts; a request that joins late reads
 * all of them.
 */
export class AnswerParts implements PartSink {
  readonly #present: (errors: readonly GraphQLError[]) => readonly GraphQLFormattedError[];
  readonly #maxBytes: number;
  readonly #texts: string[] = [];
  /** Wakes the readers. */
  readonly #waiting = new Set<() => void>();
  #bytes = 0;
  #hasBegun = false;
  #hasEnded = false;
  #end: () => void = () => {};
  /** Resolves after the last part. */
  readonly ended = new Promise<void>((resolve) => {
    this.#end = resolve;
  });

  /** @param maxBytes maximum size of all parts; a fragment above it is replaced by an error */
  constructor({
    present,
    maxBytes,
  }: {
    present: (errors: readonly GraphQLError[]) => readonly GraphQLFormattedError[];
    maxBytes: number;
  }) {
    this.#present = present;
    this.#maxBytes = maxBytes;
  }

  /** Whether the answer has further parts. */
  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  begin(): void {
    this.#hasBegun = true;
  }

  add(items: readonly DeferredItem[], hasNext: boolean): void {
    const whole = this.#write(items, hasNext);
    this.#bytes += Buffer.byteLength(whole);
    const isTooLarge = this.#bytes > this.#maxBytes;
    this.#texts.push(
      isTooLarge
        ? this.#write(
            items.map((one) => this.#refuse(one)),
            hasNext,
          )
        : whole,
    );
    this.#hasEnded = !hasNext;
    if (!hasNext) this.#end();
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  /** Reads all parts from the first one, waiting for those that are not complete. */
  async *read(): AsyncGenerator<string, void, void> {
    for (let index = 0; ; index += 1) {
      while (index === this.#texts.length && !this.#hasEnded) {
        await new Promise<void>((resolve) => this.#waiting.add(resolve));
      }
      const text = this.#texts[index];
      if (text === undefined) return;
      yield text;
    }
  }

  #write(items: readonly DeferredItem[], hasNext: boolean): string {
    if (items.length === 0) return JSON.stringify({ hasNext });
    const incremental = items.map(({ label, path, data, errors }) => ({
      data,
      path,
      ...(label === undefined ? {} : { label }),
      ...(errors ? { errors: this.#present(errors) } : {}),
    }));
    return JSON.stringify({ incremental, hasNext });
  }

  #refuse(item: DeferredItem): DeferredItem {
    return { ...item, data: null, errors: [answerTooLarge(this.#maxBytes)] };
  }
}

/** Marks the first part of an answer. @param body JSON of the result without its deferred fragments */
export const firstPart = (body: string): string => `${body.slice(0, -1)},"hasNext":true}`;
/** Marks the only part of an answer. @param body JSON of the result */
export const lastPart = (body: string): string => `${body.slice(0, -1)},"hasNext":false}`;
