import { randomUUID } from 'node:crypto';
import { ORDER_CREATED } from '@gudang/events';
import { deadLetterTopic } from '@gudang/messages';
import { eventually } from '@gudang/testing/eventually';
import type { Fault } from '../fault.ts';
import { badValues } from './bad-values.ts';

/** Each lands in the dead letters with its reason; the sound one behind each is decided. */
export const badRecords: Fault = {
  name: 'bad-records',
  title: 'records that break the contract, each in its own way',
  short: true,
  run: async ({ rig, archive, load, foreign, breach }) => {
    const [product] = load.products;
    const productId = product?.id ?? '';
    const [known] = await eventually(
      () =>
        rig.databases.stock('SELECT order_id, quantity FROM decisions WHERE product_id = $1', [
          productId,
        ]),
      (rows) => rows.length > 0,
      { until: 'an order is decided' },
    );
    const bad = badValues(productId, { id: known?.['order_id'], quantity: known?.['quantity'] });
    const sent = new Map<string, RegExp>();
    const topic = rig.name(ORDER_CREATED);
    for (const { value, reason } of bad) {
      const id = randomUUID();
      const sound = { id, product_id: productId, quantity: 1, timestamp: new Date().toISOString() };
      foreign.push({ id, productId });
      const messages = [
        { key: productId, value },
        { key: productId, value: JSON.stringify(sound) },
      ];
      const [answer] = await rig.producer.send({ topic, messages });
      sent.set(`${topic} ${answer?.partition} ${answer?.baseOffset}`, reason);
    }

    const lettersOfThese = async (): Promise<Map<string, string>> => {
      const records = await archive.catchUp();
      const letters = (records[deadLetterTopic(ORDER_CREATED)] ?? []).map(
        ({ headers }) =>
          [
            `${headers['gudang_origin_topic']} ${headers['gudang_origin_partition']} ${headers['gudang_origin_offset']}`,
            headers['gudang_reason'] ?? '',
          ] as const,
      );
      return new Map(letters.filter(([origin]) => sent.has(origin)));
    };
    const letters = await eventually(lettersOfThese, (found) => found.size === sent.size, {
      until: 'all bad records are dead letters',
      within: 30_000,
    });
    for (const [origin, reason] of letters) {
      const expected = sent.get(origin);
      if (!expected?.test(reason))
        breach(`${origin} was dead-lettered for "${reason}", not ${expected}`);
    }
    return letters.size;
  },
};
