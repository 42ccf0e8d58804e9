import type { ServerResponse } from 'node:http';
import { LimitExceeded } from '../errors/limit-exceeded.ts';
import { RequestError } from '../errors/request-error.ts';
import { type ByteAccount, type ByteHold, bytesOf } from './byte-account.ts';
import type { ByteBudget, Caller } from './byte-budget.ts';

export interface AnswerLimits {
  /** Maximum size of an answer, and of the subgraphs' answers to one operation together, in bytes. */
  readonly maxBytes: number;
  readonly memory: Pick<ByteBudget, 'connection'>;
}

/**
 * Size up to which answers do not count towards the memory budget, in bytes. Nearly all answers are
 * smaller, and the numbers of connections and of running operations limit the memory that they use.
 */
const UNCOUNTED_BYTES = 64 * 1024;

/**
 * Factor between the size of the subgraphs' answers and the memory that an operation uses for them:
 * their bytes, their text, the parsed data, and the text of the result.
 */
const MEMORY_FACTOR = 4;

/**
 * Size above which the steps of an answer run in different iterations of the event loop, in bytes. Parsing,
 * shaping and serializing 2.5 MB take 5 ms each, and other requests are answered in between.
 */
export const LARGE_BYTES = 256 * 1024;

/**
 * The bytes that subgraphs send for one operation. The operation fails if they exceed the maximum size
 * of an answer, or if the memory budget has no room for them.
 */
export class AnswerBytes {
  readonly #limits: AnswerLimits;
  readonly #caller: Caller;
  #received = 0;
  #refusal: RequestError | undefined;
  #account: ByteAccount | undefined;
  #hold: ByteHold | undefined;

  constructor(limits: AnswerLimits, caller: Caller) {
    this.#limits = limits;
    this.#caller = caller;
  }

  /** Why the operation has failed; undefined while it has not. No further request may be sent. */
  get refusal(): RequestError | undefined {
    return this.#refusal;
  }

  /** Whether the subgraphs have sent more than `LARGE_BYTES`. */
  get isLarge(): boolean {
    return this.#received > LARGE_BYTES;
  }

  /**
   * Counts received bytes.
   * @returns the error with which the operation fails: `LIMIT_EXCEEDED`, or 503 `OVERLOADED`
   */
  add(bytes: number): RequestError | undefined {
    this.#received += bytes;
    if (this.#refusal) return this.#refusal;
    const { maxBytes } = this.#limits;
    if (this.#received > maxBytes) this.refuse(answerTooLarge(maxBytes));
    else if (this.#received > UNCOUNTED_BYTES) this.#reserve();
    return this.#refusal;
  }

  /** Makes the operation fail. */
  refuse(refusal: RequestError): void {
    this.#refusal ??= refusal;
  }

  /** Releases the memory when the operation has ended. */
  end(): void {
    this.#hold?.releaseAll();
    this.#account?.close();
  }

  #reserve(): void {
    if (!this.#account || !this.#hold) {
      const onEvict = (): void => this.refuse(OUT_OF_MEMORY);
      this.#account = this.#limits.memory.connection(this.#caller, { onEvict });
      this.#hold = this.#account.hold('answers');
    }
    const missing = this.#received * MEMORY_FACTOR - this.#hold.bytes;
    if (missing > 0 && !this.#hold.reserve(missing)) this.refuse(OUT_OF_MEMORY);
  }
}

const OUT_OF_MEMORY = new RequestError(
  503,
  'The gateway has no memory left for an answer of this size: read earlier answers, and try again',
  { code: 'OVERLOADED', retryable: true },
);

export function answerTooLarge(maxBytes: number): LimitExceeded {
  return new LimitExceeded('answer', { actual: maxBytes, max: maxBytes, more: true });
}

/** Whether a text has more bytes than the limit, as UTF-8. */
export function isLonger(text: string, maxBytes: number): boolean {
  // A UTF-16 code unit takes one to three bytes.
  if (text.length > maxBytes) return true;
  return text.length * 3 > maxBytes && Buffer.byteLength(text) > maxBytes;
}

/**
 * Counts the parts of an answer towards the memory budget until its client has read them, once they are larger
 * than other answers that do not count.
 * @returns a function that counts one more part
 */
export function createReadHold(
  response: ServerResponse,
  memory: AnswerLimits['memory'],
  caller: Caller,
): (text: string) => void {
  let total = 0;
  let hold: ByteHold | undefined;
  return (text) => {
    total += bytesOf(text);
    if (total <= UNCOUNTED_BYTES || response.destroyed) return;
    if (!hold) {
      const account = memory.connection(caller, { onEvict: () => response.destroy() });
      const opened = account.hold('answers');
      hold = opened;
      response.once('close', () => {
        opened.releaseAll();
        account.close();
      });
    }
    hold.charge(total - hold.bytes);
  };
}

/** Adds to an error that the operation may have changed data nevertheless. */
export function afterMutation({ status, message, extensions }: RequestError): RequestError {
  const { retryable: _, ...rest } = extensions;
  const advice = 'the mutation may have been executed: check before you repeat it';
  return new RequestError(status, `${message}; ${advice}`, rest);
}

/**
 * Counts an answer towards the memory budget until its client has read it.
 * @throws {RequestError} 503 `OVERLOADED` if the budget has no room for the answer to a query
 */
export function holdUntilRead(
  { body, isQuery }: { readonly body: string; readonly isQuery: boolean },
  response: ServerResponse,
  memory: AnswerLimits['memory'],
  caller: Caller,
): void {
  if (body.length <= UNCOUNTED_BYTES || response.destroyed) return;
  const account = memory.connection(caller, { onEvict: () => response.destroy() });
  const hold = account.hold('answers');
  // V8 uses one byte per character of a text in ASCII.
  const bytes = Buffer.byteLength(body) === body.length ? body.length : bytesOf(body);
  // The answer to a mutation is sent in any case.
  if (!isQuery) hold.charge(bytes);
  else if (!hold.reserve(bytes)) {
    account.close();
    throw OUT_OF_MEMORY;
  }
  response.once('close', () => {
    hold.releaseAll();
    account.close();
  });
}
