import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { startWithKafkaClasses } from '@gudang/embedded/testing';

const PROGRAM = fileURLToPath(new URL('../../src/testing/ForeignProducer.java', import.meta.url));

export type Compression = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';

/** A record of another system. */
export interface ForeignRecord {
  readonly topic: string;
  /** Default: 0. */
  readonly partition?: number;
  /** Milliseconds since 1970. Default: now. */
  readonly timestamp?: number;
  readonly key?: Buffer | null;
  /** A number means a value of that many zero bytes. */
  readonly value: Buffer | string | number | null;
  readonly headers?: readonly (readonly [name: string, value: Buffer | string | null])[];
}

/** Commands for producers of `ForeignProducer.java`. */
export class ForeignCommands {
  readonly lines: string[] = [];

  open(name: string, compression: Compression, transactional = false): this {
    return this.#add(transactional ? 'open-tx' : 'open', name, compression);
  }

  send(name: string, record: ForeignRecord): this {
    const { topic, partition = 0, timestamp = '-', key = null, value, headers = [] } = record;
    const headerWords = headers.map(
      ([header, content]) => `${Buffer.from(header).toString('base64')},${wordOf(content)}`,
    );
    const content = [wordOf(key), wordOf(value), headerWords.join(';') || '-'];
    return this.#add('send', name, topic, String(partition), String(timestamp), ...content);
  }

  /** Sends the waiting records as one batch, or controls a transaction. */
  control(name: string, action: 'begin' | 'commit' | 'abort' | 'flush'): this {
    return this.#add(action, name);
  }

  #add(...words: readonly string[]): this {
    this.lines.push(words.join(' '));
    return this;
  }
}

export interface ForeignProducer {
  /** Runs commands in order, and then closes the producers that they opened. */
  readonly run: (commands: ForeignCommands) => Promise<void>;
  readonly stop: () => Promise<void>;
}

/**
 * Starts a program with Kafka's own Java client, which supports compression, transactions, null
 * headers and repeated headers.
 */
export async function startForeignProducer(brokers: string): Promise<ForeignProducer> {
  const child = await startWithKafkaClasses(PROGRAM, [brokers]);
  const exited = once(child, 'exit');
  let errors = '';
  child.stderr.on('data', (text) => {
    errors += text;
  });
  // If the program fails, writing to it fails too. Its own error is more useful.
  child.stdin.on('error', () => {});
  const lines = createInterface(child.stdout);
  return {
    run: async (commands) => {
      child.stdin.write(`${[...commands.lines, 'done'].join('\n')}\n`);
      const failed = exited.then(() => {
        throw new Error(`The foreign producer failed: ${errors}`);
      });
      await Promise.race([once(lines, 'line'), failed]);
    },
    stop: async () => {
      child.stdin.end();
      await exited;
    },
  };
}

function wordOf(bytes: Buffer | string | number | null): string {
  if (bytes === null) return 'null';
  if (typeof bytes === 'number') return `zeros:${bytes}`;
  return `=${Buffer.from(bytes).toString('base64')}`;
}
