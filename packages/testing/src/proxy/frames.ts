/** Turns what arrives of one direction of a connection into pieces that are dealt with as a whole. */
export type Splitter = (chunk: Buffer) => Buffer[];

/** As it arrives. */
export const asItComes = (): Splitter => (chunk) => [chunk];

const SIZE_BYTES = 4;

/** Whole frames of Kafka's protocol: four bytes of size, then so many bytes. */
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

/** Kinds of Kafka requests: https://kafka.apache.org/protocol#protocol_api_keys */
export const KAFKA = {
  produce: 0,
  fetch: 1,
  offsetCommit: 8,
  joinGroup: 11,
  heartbeat: 12,
} as const;

/** A request frame's kind. */
export function kindOf(request: Buffer): number | undefined {
  return request.length >= 12 ? request.readInt16BE(4) : undefined;
}

/** What ties an answer to its request. */
export function requestId(request: Buffer): number {
  return request.readInt32BE(8);
}

export function answeredId(answer: Buffer): number | undefined {
  return answer.length >= 8 ? answer.readInt32BE(4) : undefined;
}
