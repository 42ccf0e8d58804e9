import type { PartState } from '@gudang/runtime';
import { request } from 'undici';

const TIMEOUT_MS = 1_000;
/** Maximum size of a response, in bytes. A response of `/readyz` is usually far smaller. */
const MAX_BYTES = 64 * 1024;
const STATES: readonly unknown[] = ['ok', 'degraded', 'down'] satisfies PartState['state'][];

/**
 * Fetches the entries of a subgraph's `/readyz`, such as `database` and `kafka`, by name. The
 * result is empty if the subgraph is unavailable or has no `/readyz`, which foreign subgraphs need
 * not serve.
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
