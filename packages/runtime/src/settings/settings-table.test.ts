import { protectedHttpSettings } from '@gudang/auth/settings';
import { kafkaSettings } from '@gudang/kafka/settings';
import { describe, expect, it } from 'vitest';
import { settingRows, settingsMarkdown } from './settings-table.ts';

describe('settingsMarkdown', () => {
  it('has a row a setting: what it is, what is allowed, its default, and whose it is', () => {
    const table = settingsMarkdown({
      'order-subgraph': settingRows({ ...protectedHttpSettings(8000), ...kafkaSettings }),
      gateway: settingRows(protectedHttpSettings(4000)),
    });
    const lines = table.split('\n');
    const row = (name: string) => lines.find((line) => line.startsWith(`| \`${name}\``));
    expect(lines.slice(0, 2)).toEqual([
      '| Setting | What it is | Allowed | Default | Of |',
      '| --- | --- | --- | --- | --- |',
    ]);
    expect(row('PORT')).toBe(
      '| `PORT` | The port to listen on; 0 picks a free one | a whole number from 0 to 65535 | ' +
        '`8000` (order-subgraph), `4000` (gateway) | all |',
    );
    expect(row('KAFKA_BROKERS')).toMatch(
      /a list of host:port.*, such as `127\.0\.0\.1:9092` \| required \| order-subgraph \|$/,
    );
    expect(row('KAFKA_SASL_PASSWORD')).toMatch(/\| {2}\| none \| order-subgraph \|$/);
    expect(row('KAFKA_TOPIC_PREFIX')).toContain('| empty |');
    expect(lines.filter((line) => line.startsWith('| `PORT`'))).toHaveLength(1);
  });

  it('leaves out whose a setting is when there is one process, and keeps bars in their cells', () => {
    const bar = { ...protectedHttpSettings(1).HOST, description: 'a | b' };
    expect(settingsMarkdown({ gateway: settingRows({ HOST: bar }) })).toBe(
      '| Setting | What it is | Allowed | Default |\n| --- | --- | --- | --- |\n' +
        '| `HOST` | a \\| b |  | `127.0.0.1` |\n',
    );
  });
});
