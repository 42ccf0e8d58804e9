import type { PartState } from '@gudang/runtime';
import { request } from 'undici';

const TIMEOUT_MS = 1_000;
/** Longest answer that is read, in bytes; a list of parts needs far less. */
const MAX_BYTES = 64 * 1024;
const STATES: readonly unknown[] = ['ok', 'degraded', 'down'] satisfies PartState['state'][];

/**
 * Fetches `/readyz` of a subgraph's server: its parts by name, such as `database` and `kafka`. Empty
 * when the subgraph is unavailable or has no such page, which foreign subgraphs need not have.
 */
export async function fetchSubgraphParts(url: string): Promise<ReadonlyMap<string, PartState>> {
  try {
    const { body } = await request(new URL('/readyz', url), {
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    let text = '';
    for await (const chunk of body) {
      text += String(chunk);
      if (text.length > MAX_BYTES) break;
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
