import { type ICustomPartitioner, Partitioners } from 'kafkajs';
import { murmur2 } from './murmur2.ts';

/** The partition that kafkajs's DefaultPartitioner chooses, and Java's clients, for less. */
export const keyPartitioner: ICustomPartitioner = () => {
  const ofKeyless = Partitioners.DefaultPartitioner();
  return (given) => {
    const { message, partitionMetadata } = given;
    if (message.partition !== undefined || message.key == null) return ofKeyless(given);
    if (partitionMetadata.length === 1) return partitionMetadata[0]?.partitionId ?? 0;
    const key = typeof message.key === 'string' ? Buffer.from(message.key) : message.key;
    return (murmur2(key) & 0x7fffffff) % partitionMetadata.length;
  };
};
