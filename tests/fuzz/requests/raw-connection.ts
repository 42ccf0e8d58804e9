import { connect, type Socket } from 'node:net';

/** A response as its status, headers with names in lower case, and decoded body. */
export interface RawResponse {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

const HEAD_END = Buffer.from('\r\n\r\n');
const TIMEOUT_MS = 20_000;

/**
 * A keep-alive connection that writes bytes as they are, one request at a time. HTTP clients would
 * refuse or repair the requests that a fuzzer sends.
 */
export class RawConnection {
  readonly #port: number;
  #socket: Socket | undefined;
  #received = Buffer.alloc(0);
  #wake: () => void = () => {};
  #hasEnded = false;

  constructor(port: number) {
    this.#port = port;
  }

  /**
   * Sends a request and returns its response. A response to HEAD has no body.
   * @returns undefined if the server closes the connection without a response
   * @throws if no complete response arrives within 20 s
   */
  async exchange(bytes: Buffer, isHead = false): Promise<RawResponse | undefined> {
    let isReused = this.#socket !== undefined && !this.#hasEnded && this.#received.length === 0;
    for (;;) {
      if (!isReused) this.#open();
      this.#socket?.write(bytes);
      const response = await this.#read(isHead);
      if (!response || response.headers.get('connection') === 'close') this.close();
      // The server may have closed an idle connection just before it received this request.
      if (response || !isReused) return response;
      isReused = false;
    }
  }

  close(): void {
    this.#socket?.destroy();
    this.#socket = undefined;
    this.#received = Buffer.alloc(0);
  }

  #open(): void {
    this.close();
    const socket = connect(this.#port, '127.0.0.1');
    this.#socket = socket;
    this.#hasEnded = false;
    socket.setNoDelay(true);
    socket.on('data', (chunk) => {
      if (this.#socket !== socket) return;
      this.#received = this.#received.length > 0 ? Buffer.concat([this.#received, chunk]) : chunk;
      this.#wake();
    });
    const end = (): void => {
      if (this.#socket !== socket) return;
      this.#hasEnded = true;
      this.#wake();
    };
    socket.on('error', end);
    socket.on('close', end);
    socket.on('end', end);
  }

  async #read(isHead: boolean): Promise<RawResponse | undefined> {
    const giveUpAt = performance.now() + TIMEOUT_MS;
    for (;;) {
      const parsed = parseResponse(this.#received, isHead, this.#hasEnded);
      if (parsed) {
        this.#received = this.#received.subarray(parsed.length);
        if (parsed.response.status >= 200) return parsed.response;
        continue;
      }
      if (this.#hasEnded) {
        if (this.#received.length === 0) return undefined;
        throw new Error(`an incomplete response: ${this.#received.subarray(0, 200)}`);
      }
      if (performance.now() > giveUpAt) throw new Error('no complete response within 20 s');
      await this.#more(giveUpAt - performance.now());
    }
  }

  #more(withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, withinMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

interface Parsed {
  readonly response: RawResponse;
  /** Number of bytes of the response. */
  readonly length: number;
}

/** @returns undefined if the response is incomplete */
function parseResponse(bytes: Buffer, isHead: boolean, hasEnded: boolean): Parsed | undefined {
  const headEnd = bytes.indexOf(HEAD_END);
  if (headEnd < 0) return undefined;
  const [first = '', ...lines] = bytes.toString('latin1', 0, headEnd).split('\r\n');
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(first)?.[1] ?? Number.NaN);
  const headers = new Map(
    lines.map((line): [string, string] => {
      const at = line.indexOf(':');
      return [line.slice(0, at).toLowerCase(), line.slice(at + 1).trim()];
    }),
  );
  const start = headEnd + HEAD_END.length;
  if (isHead || status < 200 || status === 204 || status === 304) {
    return { response: { status, headers, body: '' }, length: start };
  }
  if (headers.get('transfer-encoding') === 'chunked') {
    const body = parseChunks(bytes, start);
    return body && { response: { status, headers, body: body.text }, length: body.end };
  }
  const announced = headers.get('content-length');
  if (announced === undefined && !hasEnded) return undefined;
  const end = announced === undefined ? bytes.length : start + Number(announced);
  if (bytes.length < end) return undefined;
  return { response: { status, headers, body: bytes.toString('utf8', start, end) }, length: end };
}

function parseChunks(bytes: Buffer, start: number): { text: string; end: number } | undefined {
  const parts: Buffer[] = [];
  for (let at = start; ; ) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd < 0) return undefined;
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16);
    const end = lineEnd + 2 + size;
    if (bytes.length < end + 2) return undefined;
    if (size === 0) return { text: Buffer.concat(parts).toString('utf8'), end: end + 2 };
    parts.push(bytes.subarray(lineEnd + 2, end));
    at = end + 2;
  }
}
