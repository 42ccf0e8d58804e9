/** A request as it is written to a connection. */
export interface RawRequest {
  readonly method: string;
  /** Target with one character per byte. */
  readonly target: string;
  /** The gateway's own value of the Host header. */
  readonly ownHost: string;
  /** Headers in order, with one character per byte; without those of the framing. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
  readonly framing: Framing;
  /** Size of the chunks of a chunked body, in bytes. */
  readonly chunkBytes: number;
  /** Whether the message is malformed, so that the gateway must refuse it. */
  readonly isBroken: boolean;
  /** Returns the values of a header; its name is in lower case. */
  readonly valuesOf: (name: string) => readonly string[];
}

/** How the end of a body is found; the last four are malformed. */
export type Framing =
  | 'none'
  | 'length'
  | 'chunked'
  | 'chunked and length'
  | 'two lengths'
  | 'bad length'
  | 'bad chunk';

const BROKEN: readonly Framing[] = ['chunked and length', 'two lengths', 'bad length', 'bad chunk'];

export function createRawRequest(parts: Omit<RawRequest, 'valuesOf' | 'isBroken'>): RawRequest {
  const isBroken =
    BROKEN.includes(parts.framing) ||
    // Node's parser rejects a target with a space or a control character.
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters
    /[\x00-\x20\x7f]/.test(parts.target) ||
    !parts.headers.some(([name]) => name.toLowerCase() === 'host');
  return {
    ...parts,
    isBroken,
    valuesOf: (name) =>
      parts.headers.filter(([one]) => one.toLowerCase() === name).map(([, value]) => value.trim()),
  };
}

export function encodeRequest(request: RawRequest): Buffer {
  const { method, target, headers, body, framing, chunkBytes } = request;
  const lines = [
    `${method} ${target} HTTP/1.1`,
    ...headers.map(([name, value]) => `${name}: ${value}`),
    ...framingLines(framing, body.length),
  ];
  const head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
  if (framing === 'none') return head;
  const isChunked = framing.includes('chunk');
  const bytes = isChunked ? chunked(body, chunkBytes, framing === 'bad chunk') : body;
  return Buffer.concat([head, bytes]);
}

function framingLines(framing: Framing, length: number): string[] {
  const coded = 'transfer-encoding: chunked';
  switch (framing) {
    case 'none':
      return [];
    case 'length':
      return [`content-length: ${length}`];
    case 'chunked':
    case 'bad chunk':
      return [coded];
    case 'chunked and length':
      return [coded, `content-length: ${length}`];
    case 'two lengths':
      return [`content-length: ${length}`, `content-length: ${length + 1}`];
    case 'bad length':
      return [`content-length: ${length}x`];
  }
}

function chunked(body: Buffer, chunkBytes: number, isBad: boolean): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < body.length; at += chunkBytes) {
    const chunk = body.subarray(at, at + chunkBytes);
    parts.push(Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n'));
  }
  parts.push(Buffer.from(isBad ? 'xyz\r\n\r\n' : '0\r\n\r\n'));
  return Buffer.concat(parts);
}
