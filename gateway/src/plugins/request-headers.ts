import type { PluginHeaders } from '../../plugin.d.ts';
import type { Headers } from '../headers/forwarded-headers.ts';
import { whyUnsendable } from '../headers/reserved-headers.ts';
import { HEADER_VALUE, isHeaderName } from '../headers/rule-reader.ts';

/** Maximum size of all headers that rules and plugins set for one request, in bytes. */
const MAX_BYTES = 12 * 1024;

/** The headers of a request to a subgraph, which plugins may change. */
export class RequestHeaders implements PluginHeaders {
  readonly #before: Headers;
  readonly #headers: Map<string, string>;
  #isChanged = false;

  /** @param before the headers that rules have set */
  constructor(before: Headers) {
    this.#before = before;
    this.#headers = new Map(Object.entries(before));
  }

  get(name: string): string | undefined {
    return this.#headers.get(name.toLowerCase());
  }

  set(name: string, value: string): void {
    const lower = name.toLowerCase();
    if (!isHeaderName(lower)) throw new Error(`${name} is not the name of a header`);
    const why = whyUnsendable(lower);
    if (why !== undefined) throw new Error(`A plugin must not set the header ${lower}: ${why}`);
    if (typeof value !== 'string' || !HEADER_VALUE.test(value)) {
      throw new Error(
        `The value of the header ${lower} must be a string of ASCII characters, without line breaks, and without spaces at its ends`,
      );
    }
    this.#headers.set(lower, value);
    this.#isChanged = true;
    let bytes = 0;
    for (const [header, text] of this.#headers) bytes += header.length + text.length;
    if (bytes > MAX_BYTES) {
      throw new Error(`The headers of a request have ${bytes} bytes, above ${MAX_BYTES}`);
    }
  }

  delete(name: string): void {
    this.#isChanged = this.#headers.delete(name.toLowerCase()) || this.#isChanged;
  }

  /** Returns the headers, sorted by name, so that equal headers have the same JSON. */
  end(): Headers {
    if (!this.#isChanged) return this.#before;
    return Object.fromEntries([...this.#headers].sort(([one], [other]) => (one < other ? -1 : 1)));
  }
}
