import { ORDER_QUANTITY } from '@gudang/events';
import { type Compression, ForeignCommands } from '@gudang/kafka/testing';
import type { Random } from './random.ts';

/** The expected handling of a generated record of order_created. */
export interface ExpectedRecord {
  /** The order's id; undefined if the record contains no order. */
  readonly id?: string;
  readonly productId?: string;
  readonly quantity?: number;
  /**
   * - `applied`: the stock service decides the order.
   * - `repeat`: the order was decided before.
   * - `dead letter`: the record violates the contract.
   * - `hidden`: the record's transaction was aborted.
   */
  readonly outcome: 'applied' | 'repeat' | 'dead letter' | 'hidden';
}

const CODECS: readonly Compression[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];
const MIB = 1024 * 1024;
/** With the largest headers, less than the broker's limit for a batch, 1 MiB. */
const LARGE = MIB - 32_768;

type Headers = readonly (readonly [string, Buffer | string | null])[];
const HEADERS: readonly Headers[] = [
  [],
  [['empty', '']],
  [['', 'unnamed']],
  [['no-value', null]],
  [
    ['twice', 'first'],
    ['twice', null],
    ['twice', 'third'],
  ],
  ['constructor', '__proto__', 'toString', 'hasOwnProperty'].map((name) => [name, 'theirs']),
  [['traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01']],
  [['traceparent', null]],
  [['traceparent', Buffer.from([0xff, 0xfe])]],
  [
    ['gudang_handled', '0'],
    ['gudang_version', 'x'],
    ['gudang_origin_topic', 'theirs'],
  ],
  [['binary', Buffer.from([0, 0xff, 0xc0, 0x80])]],
  Array.from({ length: 200 }, (_, index) => [`h${index}`, 'x'.repeat(index)]),
  [['large', 'x'.repeat(5_000)]],
];
const KEYS = [
  null,
  Buffer.alloc(0),
  Buffer.from('kopi'),
  Buffer.alloc(4),
  Buffer.from([0xff, 0xc0]),
];
/** Milliseconds since 1970. Brokers refuse times more than an hour in the future. */
const TIMESTAMPS = [undefined, 0, 1, 1_600_000_000_123];

interface Order {
  readonly id: string;
  readonly product_id: string;
  readonly quantity: number;
  readonly timestamp: string;
}

/** Encodings of a valid order. */
const VALID: readonly ((order: Order) => string)[] = [
  (order) => JSON.stringify(order),
  (order) => JSON.stringify(order, undefined, 2),
  ({ timestamp, ...order }) => JSON.stringify({ ...order, TimeStamp: timestamp }),
  (order) => JSON.stringify({ ...order, id: order.id.toUpperCase() }),
  (order) => JSON.stringify({ ...order, unknown: 1, constructor: 2, toString: null }),
  (order) => `{"__proto__":{"quantity":0},${JSON.stringify(order).slice(1)}`,
  // JSON.parse takes the last of two members with the same name.
  (order) => `{"quantity":-5,${JSON.stringify(order).slice(1)}`,
  (order) => JSON.stringify(order).replace(/"quantity":(\d+)/, '"quantity":$1.0'),
  (order) => `{"deep":${nested(20_000)},${JSON.stringify(order).slice(1)}`,
  (order) => JSON.stringify({ ...order, big: 'x'.repeat(LARGE) }),
  (order) => `{"number":1e999,"digits":${'9'.repeat(400)},${JSON.stringify(order).slice(1)}`,
];

/** Values that violate the contract. */
const INVALID: readonly ((order: Order) => Buffer | string | null)[] = [
  () => null,
  () => '',
  () => 'no JSON',
  () => 'null',
  () => '[]',
  () => nested(100_000),
  () => Buffer.from([0xff, 0xfe, 0x00]),
  () => Buffer.alloc(LARGE),
  (order) => `\ufeff${JSON.stringify(order)}`,
  (order) => JSON.stringify(order).slice(0, -1),
  (order) => Buffer.from(JSON.stringify({ ...order, product_id: 'caf\u00e9' }), 'latin1'),
  (order) => JSON.stringify({ ...order, id: 'x' }),
  (order) => JSON.stringify({ ...order, id: undefined }),
  (order) => JSON.stringify({ ...order, quantity: 0 }),
  (order) => JSON.stringify({ ...order, quantity: ORDER_QUANTITY.max + 1 }),
  (order) => JSON.stringify({ ...order, quantity: 2 ** 53 }),
  (order) => JSON.stringify({ ...order, quantity: '1' }),
  (order) => JSON.stringify(order).replace(/"quantity":\d+/, '"quantity":1e999'),
  (order) => JSON.stringify({ ...order, product_id: 'a\u0000b' }),
  (order) => JSON.stringify({ ...order, product_id: '\ud800' }),
  (order) => JSON.stringify({ ...order, timestamp: 'yesterday' }),
  (order) => JSON.stringify({ ...order, timestamp: null }),
];

function nested(depth: number): string {
  return '['.repeat(depth) + ']'.repeat(depth);
}

/**
 * Generates records of order_created as other systems may send them: with every codec, in committed,
 * aborted and overlapping transactions, with unusual headers, keys, timestamps and values.
 * @param label a unique name, with which the transactional producers' names start
 */
export function generateForeignRecords(
  random: Random,
  {
    topic,
    partitions,
    productIds,
    batches,
    label,
    createId,
  }: {
    topic: string;
    partitions: number;
    productIds: readonly string[];
    batches: number;
    label: string;
    createId: () => string;
  },
): { readonly commands: ForeignCommands; readonly expected: readonly ExpectedRecord[] } {
  const commands = new ForeignCommands();
  const expected: ExpectedRecord[] = [];
  const decided: Order[] = [];

  const send = (producer: string, partition: number, isAborted: boolean): void => {
    const record = {
      topic,
      partition,
      key: random.pick(KEYS),
      headers: random.pick(HEADERS),
      ...timestampOf(random.pick(TIMESTAMPS)),
    };
    const isRepeat = decided.length > 0 && random.chance(0.15);
    const order = isRepeat
      ? random.pick(decided)
      : {
          id: createId(),
          product_id: random.pick(productIds),
          quantity: random.between(1, 5),
          timestamp: new Date().toISOString(),
        };
    const isValid = isRepeat || random.chance(0.6);
    const value = random.pick(isValid ? VALID : INVALID)(order);
    commands.send(producer, { ...record, value });
    if (isAborted) expected.push({ outcome: 'hidden', ...(!isRepeat && isValid && idsOf(order)) });
    else if (!isValid) expected.push({ outcome: 'dead letter' });
    else expected.push({ outcome: isRepeat ? 'repeat' : 'applied', ...idsOf(order) });
    if (isValid && !isRepeat && !isAborted) decided.push(order);
  };

  for (const codec of CODECS) {
    commands.open(codec, codec);
    for (const side of ['left', 'right']) commands.open(`${label}-${codec}-${side}`, codec, true);
  }
  for (let batch = 0; batch < batches; batch += 1) {
    const codec = CODECS[batch % CODECS.length] ?? 'none';
    const partition = random.between(0, partitions - 1);
    if (random.chance(0.5)) {
      for (let left = random.between(1, 8); left > 0; left -= 1) send(codec, partition, false);
      commands.control(codec, 'flush');
      continue;
    }
    const sides = ['left', 'right'].map((side) => ({
      name: `${label}-${codec}-${side}`,
      end: random.pick(['commit', 'abort'] as const),
    }));
    for (const { name } of sides) commands.control(name, 'begin');
    for (let left = random.between(2, 8); left > 0; left -= 1) {
      const { name, end } = random.pick(sides);
      send(name, partition, end === 'abort');
      commands.control(name, 'flush');
    }
    for (const { name, end } of random.shuffled(sides)) commands.control(name, end);
  }
  return { commands, expected };
}

function timestampOf(timestamp: number | undefined): { readonly timestamp?: number } {
  return timestamp === undefined ? {} : { timestamp };
}

function idsOf(order: Order) {
  return { id: order.id, productId: order.product_id, quantity: order.quantity };
}
