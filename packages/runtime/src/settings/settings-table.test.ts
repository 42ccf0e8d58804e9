import { describe, expect, it } from 'vitest';
import { httpSettings } from './http-settings.ts';
import { addresses, text } from './settings.ts';
import { settingRows, settingsMarkdown } from './settings-table.ts';

const kafkaSettings = {
  KAFKA_BROKERS: { description: 'The brokers', parse: addresses, example: '127.0.0.1:9092' },
  KAFKA_TOPIC_PREFIX: { description: 'A prefix', parse: text, default: '' },
  KAFKA_SASL_PASSWORD: { description: 'A password', parse: text, optional: true, secret: true },
} as const;

describe('settingsMarkdown', () => {
  it('has a row for each setting, with its allowed values, default and processes', () => {
    const table = settingsMarkdown({
      'order-subgraph': settingRows({ ...httpSettings(8000), ...kafkaSettings }),
      gateway: settingRows(httpSettings(4000)),
    });
    const lines = table.split('\n');
    const row = (name: string) => lines.find((line) => line.startsWith(`| \`${name}\``));
    expect(lines.slice(0, 2)).toEqual([
      '| Setting | Description | Allowed | Default | Process |',
      '| --- | --- | --- | --- | --- |',
    ]);
    expect(row('PORT')).toBe(
      '| `PORT` | The port to listen on; 0 selects a free one | a whole number from 0 to 65535 | ' +
        '`8000` (order-subgraph), `4000` (gateway) | all |',
    );
    expect(row('KAFKA_BROKERS')).toMatch(
      /a list of host:port.*, such as `127\.0\.0\.1:9092` \| required \| order-subgraph \|$/,
    );
    expect(row('KAFKA_SASL_PASSWORD')).toMatch(/\| {2}\| none \| order-subgraph \|$/);
    expect(row('KAFKA_TOPIC_PREFIX')).toContain('| empty |');
    expect(lines.filter((line) => line.startsWith('| `PORT`'))).toHaveLength(1);
  });

  it('omits the column of processes if there is only one process, and escapes vertical bars', () => {
    const bar = { ...httpSettings(1).HOST, description: 'a | b' };
    expect(settingsMarkdown({ gateway: settingRows({ HOST: bar }) })).toBe(
      '| Setting | Description | Allowed | Default |\n| --- | --- | --- | --- |\n' +
        '| `HOST` | a \\| b |  | `127.0.0.1` |\n',
    );
  });
});
