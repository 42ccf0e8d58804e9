import { Readable } from 'node:stream';

/** Length up to which an answer is sent as a whole, in UTF-16 units. */
const WHOLE = 256 * 1024;
/** Length of a part of a larger answer, in UTF-16 units. */
const PART = 64 * 1024;

/**
 * Whether an answer is sent in parts. Encoding an answer of 2.5 MB and writing it to a socket blocks the
 * event loop for 25 ms on a busy machine, because each needs new memory of this size.
 */
export function isLargeAnswer(text: string): boolean {
  return text.length > WHOLE;
}

/**
 * Returns a stream of a text in UTF-8. It encodes one part in each iteration of the event loop, and no part
 * before the reader has taken the one before.
 */
export function readInParts(text: string): Readable {
  let at = 0;
  const stream = new Readable({
    highWaterMark: 1,
    read() {
      setImmediate(() => {
        if (stream.destroyed) return;
        const end = endOfPart(text, at);
        stream.push(Buffer.from(text.slice(at, end)));
        at = end;
        // The response ends with its last part, so that its connection is idle once it has been read.
        if (at >= text.length) stream.push(null);
      });
    },
  });
  return stream;
}

/** Returns the end of a part. It does not split a surrogate pair, which has one encoding. */
function endOfPart(text: string, at: number): number {
  const end = at + PART;
  const last = text.charCodeAt(end - 1);
  return last >= 0xd800 && last <= 0xdbff ? end + 1 : end;
}
