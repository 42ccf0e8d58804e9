import type { PartState } from '@gudang/runtime';
import { request } from 'undici';

const DEADLINE_MS = 1_000;
/** More than any list of parts needs, in bytes: a stranger's answer is not read without end. */
const ANSWER_LIMIT = 64 * 1024;
const STATES: readonly unknown[] = ['ok', 'degraded', 'down'] satisfies PartState['state'][];

/**
 * What a subgraph says at its own `/readyz`, beside its GraphQL address: its parts by name, such as
 * `database` and `kafka`. Nothing of one that is away or has no such page, as others' need not.
 */
export async function fetchSubgraphParts(url: string): Promise<ReadonlyMap<string, PartState>> {
  try {
    const { body } = await request(new URL('/readyz', url), {
      signal: AbortSignal.timeout(DEADLINE_MS),
    });
    let text = '';
    for await (const chunk of body) {
      text += String(chunk);
      if (text.length > ANSWER_LIMIT) break;
    }
    const { parts } = JSON.parse(text) as { parts?: unknown };
    return new Map(Object.entries(Object(parts)).filter((part) => isPart(part)));
  } catch {
    return new Map();
  }
}

function isPart(entry: [string, unknown]): entry is [string, PartState] {
  const { state, reason } = Object(entry[1]) as { state?: unknown; reason?: unknown };
  return STATES.includes(state) && (state === 'ok' || typeof reason === 'string');
}
