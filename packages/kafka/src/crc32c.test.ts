import fc from 'fast-check';
import { expect, it } from 'vitest';
import { crc32c } from './crc32c.ts';
import { requireInternal } from './patches/kafkajs-internals.ts';

it('crc32c returns the check value of the CRC-32C specification', () => {
  expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
});

it('crc32c returns the same checksums as kafkajs for bytes of any length', () => {
  const byKafkajs = requireInternal<(bytes: Uint8Array) => number>('protocol/recordBatch/crc32C');
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      expect(crc32c(bytes)).toBe(byKafkajs(bytes));
    }),
  );
});
