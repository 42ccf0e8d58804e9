import { setTimeout as pause } from 'node:timers/promises';
import type { LiveEvent } from '@gudang/client';

interface Options<T> {
  readonly url: string;
  readonly query: string;
  readonly after: string;
  readonly token: () => Promise<string>;
  readonly receive: (event: LiveEvent<T>) => void;
  /** Called with errors of the operation other than those that ask the client to return. */
  readonly onError: (errors: readonly unknown[]) => void;
}

interface Message<T> {
  readonly data?: T | null;
  readonly errors?: readonly { readonly extensions?: Readonly<Record<string, unknown>> }[];
  readonly extensions?: {
    readonly live?: {
      readonly cursor?: string;
      readonly conflated?: number;
      readonly more?: boolean;
      readonly snapshot?: {
        readonly phase: 'begin' | 'end';
        readonly complete: boolean;
        readonly reset: boolean;
      };
    };
  };
}

/** Longest pause before the next attempt, in milliseconds. */
const RETRY_MS = 150;
const BOUNDARY = '\r\n--graphql';

/**
 * A client of gateway/docs/live-protocol.md over Apollo's multipart protocol, which @gudang/client does not speak. It
 * resumes until it is closed.
 */
export class MultipartSubscriber<T> {
  readonly #options: Options<T>;
  readonly #closing = new AbortController();
  #cursor: string;
  #held: LiveEvent<T>[] = [];
  readonly ended: Promise<void>;

  constructor(options: Options<T>) {
    this.#options = options;
    this.#cursor = options.after;
    this.ended = this.#run();
  }

  close(): Promise<void> {
    this.#closing.abort();
    return this.ended;
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      this.#held = [];
      // A lost connection is followed by the next attempt.
      await this.#connect().catch(() => {});
      await pause(Math.random() * RETRY_MS, undefined, { signal }).catch(() => {});
    }
  }

  async #connect(): Promise<void> {
    const { url, query, token } = this.#options;
    const live = { after: this.#cursor, positions: true };
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'multipart/mixed;subscriptionSpec="1.0"',
        authorization: `Bearer ${await token()}`,
      },
      body: JSON.stringify({ query, extensions: { live } }),
      signal: this.#closing.signal,
    });
    const decoder = new TextDecoder();
    let text = '';
    for await (const chunk of response.body ?? []) {
      text += decoder.decode(chunk as Uint8Array, { stream: true });
      const parts = text.split(BOUNDARY);
      text = parts.pop() ?? '';
      for (const part of parts) {
        const [, json = '{}'] = part.split('\r\n\r\n');
        const { payload } = JSON.parse(json) as { payload?: Message<T> | null };
        if (payload) this.#read(payload);
      }
    }
  }

  #read({ data, errors, extensions }: Message<T>): void {
    const { cursor, conflated = 0, more, snapshot } = extensions?.live ?? {};
    if (snapshot) this.#held.push({ data: null, cursor: null, conflated: 0, snapshot });
    else if (data) this.#held.push({ data, cursor: cursor ?? null, conflated });
    else if (errors?.some(({ extensions: { retryable } = {} }) => retryable !== true)) {
      this.#options.onError(errors);
    }
    // A snapshot begins with its first row.
    if (more || snapshot?.phase === 'begin') return;
    this.#cursor = cursor ?? this.#cursor;
    for (const event of this.#held.splice(0)) this.#options.receive(event);
  }
}
