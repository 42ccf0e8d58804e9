import { expect, it } from 'vitest';
import { patchFetchDecoder } from './fetch-decoder.ts';
import { requireInternal } from './kafkajs-internals.ts';
import { encodeProduceRequest } from './produce-request.ts';
import type { DecodedRecord } from './record-decoder.ts';

/** Length of a produce request's fields before the size of its first batch, for a topic `t`. */
const REQUEST_HEAD = 23;

it('a record with damaged headers does not prevent the decoding of its batch', async () => {
  patchFetchDecoder();
  const Decoder = requireInternal<new (bytes: Buffer) => object>('protocol/decoder');
  const decodeMessages = requireInternal<(decoder: object) => Promise<readonly DecodedRecord[]>>(
    'protocol/requests/fetch/v4/decodeMessages',
  );
  const messages = ['first', 'second', 'third'].map((value) => ({ value, headers: { name: '' } }));
  const { buffer } = encodeProduceRequest({
    acks: -1,
    timeout: 0,
    topicData: [{ topic: 't', partitions: [{ partition: 0, messages }] }],
  });
  const batch = Buffer.from(buffer.subarray(REQUEST_HEAD));
  // The byte after the value is the number of headers. 3 is the encoding of -2.
  batch[batch.indexOf('second') + 'second'.length] = 3;
  const records = await decodeMessages(new Decoder(batch));
  expect(records.map(({ offset }) => offset)).toEqual(['0', '1', '2']);
  expect(records.map(({ value }) => String(value))).toEqual([
    'first',
    expect.stringContaining('second'),
    'third',
  ]);
  expect(records[1]?.key).toBeNull();
});
