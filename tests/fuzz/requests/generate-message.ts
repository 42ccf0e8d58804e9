import type { Random } from '@gudang/testing/random';
import { mutateBytes } from '../values.ts';
import type { PayloadSource } from './generate-payload.ts';

/** Generates a message of graphql-transport-ws that begins an operation, or that is invalid. */
export function anyMessage(random: Random, marker: string, payloads: PayloadSource): Buffer {
  const write = (name: string): string => {
    const entries = payloads.next(random, name);
    return `{${entries.map(([key, json]) => `${JSON.stringify(key)}:${json}`).join(',')}}`;
  };
  const payload = write(marker);
  const id = JSON.stringify(random.pick(['1', 'x'.repeat(200), '\u00e9'.repeat(40), '__proto__']));
  const plain = `{"id":${id},"type":"subscribe","payload":${payload}}`;
  if (random.chance(0.75)) return Buffer.from(plain);
  const decoy = write(`${marker}:decoy`);
  const text = random.pick([
    `{"id":${id},"type":"subscribe","payload":${decoy},"payload":${payload}}`,
    `{"type":"ping","id":${id},"payload":${payload},"type":"subscribe"}`,
    `{"id":${id},"type":"subscribe","payload":${payload},"query":"x","variables":[]}`,
    `{"id":${id},"type":"subscribe","payload":[${payload}]}`,
    `{"id":${id},"type":"subscribe","payload":${JSON.stringify(payload)}}`,
    `[{"id":${id},"type":"subscribe","payload":${payload}}]`,
    `{"id":1,"type":"subscribe","payload":${payload}}`,
    `{"id":"","type":"subscribe","payload":${payload}}`,
    `{"type":"subscribe","payload":${payload}}`,
    `{"id":${id},"type":"start","payload":${payload}}`,
    `{"id":${id},"type":["subscribe"],"payload":${payload}}`,
    `{"id":${id},"type":"subscribe","payload":null}`,
    `{"id":${id},"type":"subscribe"}`,
    `\ufeff${plain}`,
    ` ${plain}\n`,
    `{"id":${id},"type":"subscribe","payload":${payload.slice(0, -1)},"x":"${'x'.repeat(70_000)}"}}`,
  ]);
  const bytes = Buffer.from(text);
  return random.chance(0.2) ? mutateBytes(random, bytes) : bytes;
}
