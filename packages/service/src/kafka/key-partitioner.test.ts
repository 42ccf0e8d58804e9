import { randomBytes, randomUUID } from 'node:crypto';
import { Partitioners, type PartitionMetadata } from 'kafkajs';
import { expect, it } from 'vitest';
import { keyPartitioner } from './key-partitioner.ts';

const metadata = (count: number): PartitionMetadata[] =>
  Array.from({ length: count }, (_, partitionId) => ({
    partitionErrorCode: 0,
    partitionId,
    leader: 0,
    replicas: [0],
    isr: [0],
  }));
const ours = keyPartitioner();
const theirs = Partitioners.DefaultPartitioner();
const given = (key: Buffer | string | null, count: number) => ({
  topic: 't',
  partitionMetadata: metadata(count),
  message: { key, value: '' },
});

it("chooses every key's partition as kafkajs's default partitioner does", () => {
  const keys = Array.from({ length: 2_000 }, (_, index) =>
    index % 2 ? randomUUID() : randomBytes(index % 43),
  );
  for (const key of ['', 'kopi ☕', ...keys]) {
    for (const count of [1, 6, 7]) {
      expect(ours(given(key, count))).toBe(theirs(given(key, count)));
    }
  }
});

it('deals what has no key over all partitions in turn, and keeps a partition that was chosen', () => {
  const chosen = new Set([1, 2, 3].map(() => ours(given(null, 3))));
  expect(chosen).toEqual(new Set([0, 1, 2]));
  const one = given('kopi', 6);
  expect(ours({ ...one, message: { ...one.message, partition: 4 } })).toBe(4);
});
