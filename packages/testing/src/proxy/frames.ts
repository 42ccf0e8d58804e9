/** Splits the bytes of one direction of a connection into units that the proxy handles whole. */
export type Splitter = (chunk: Buffer) => Buffer[];

/** Passes chunks unchanged. */
export const rawChunks = (): Splitter => (chunk) => [chunk];

const SIZE_BYTES = 4;

/** Splits into frames of the Kafka protocol: a 4-byte size, then as many bytes. */
export function kafkaFrames(): Splitter {
  let waiting: Buffer = Buffer.alloc(0);
  return (chunk) => {
    waiting = waiting.length === 0 ? chunk : Buffer.concat([waiting, chunk]);
    const frames: Buffer[] = [];
    while (waiting.length >= SIZE_BYTES) {
      const end = SIZE_BYTES + waiting.readInt32BE(0);
      if (waiting.length < end) break;
      frames.push(waiting.subarray(0, end));
      waiting = waiting.subarray(end);
    }
    return frames;
  };
}

/** API keys of Kafka requests: https://kafka.apache.org/protocol#protocol_api_keys */
export const API_KEYS = {
  produce: 0,
  fetch: 1,
  offsetCommit: 8,
  joinGroup: 11,
  heartbeat: 12,
} as const;

/** Returns the API key of a request frame. */
export function apiKeyOf(request: Buffer): number | undefined {
  return request.length >= 12 ? request.readInt16BE(4) : undefined;
}

/** Returns the correlation id of a request frame. */
export function correlationIdOf(request: Buffer): number {
  return request.readInt32BE(8);
}

export function correlationIdOfResponse(response: Buffer): number | undefined {
  return response.length >= 8 ? response.readInt32BE(4) : undefined;
}
