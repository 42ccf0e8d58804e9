import { Readable } from 'node:stream';
import type { AnswerParts } from './answer-parts.ts';

/** Type of an answer in parts, as Apollo's clients read it. */
export const MULTIPART_TYPE = 'multipart/mixed;boundary="graphql";deferSpec=20220824';

const START = '\r\n--graphql';
const part = (json: string): string =>
  `\r\ncontent-type: application/json\r\n\r\n${json}\r\n--graphql`;
const END = '--\r\n';

/**
 * Returns an answer as a multipart text. A client processes a part only after the boundary that follows it, so
 * they are sent together.
 * @param body the first part
 * @param parts undefined if it is the only one
 * @param onPart called with each further part before it is sent
 */
export function readMultipart(
  body: string,
  parts: Pick<AnswerParts, 'read'> | undefined,
  onPart: (text: string) => void,
): Readable {
  async function* texts(): AsyncGenerator<string, void, void> {
    yield START + part(body);
    for await (const text of parts?.read() ?? []) {
      onPart(text);
      yield part(text);
    }
    yield END;
  }
  return Readable.from(texts(), { objectMode: false });
}
