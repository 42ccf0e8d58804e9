import { readFile } from 'node:fs/promises';
import { StartError } from '@gudang/runtime';
import { RequestError } from '../errors/request-error.ts';
import { idIn, type PersistedQueries } from './persisted-queries.ts';

const FORMAT = 'apollo-persisted-query-manifest';

/**
 * Loads a safelist. Only the operations in its manifest may run. A client must send an operation's
 * id or exactly its text. `generate-persisted-query-manifest` writes such manifests.
 * @throws {StartError} when the file is missing or is not such a manifest
 */
export async function loadSafelist(path: string): Promise<PersistedQueries> {
  const texts = await loadManifest(path);
  const allowed = new Set(texts.values());
  return {
    textOf: ({ query, extensions }) => {
      const id = idIn(extensions);
      const text = id === undefined ? query : texts.get(id);
      if (text && allowed.has(text) && (!query || query === text)) return text;
      throw new RequestError(400, 'The operation is not in the safelist of this gateway', {
        code: id === undefined ? 'QUERY_NOT_IN_SAFELIST' : 'PERSISTED_QUERY_NOT_IN_LIST',
      });
    },
    store: () => {},
  };
}

async function loadManifest(path: string): Promise<Map<string, string>> {
  const fail = (what: string): never => {
    throw new StartError(
      `TRUSTED_DOCUMENTS: ${path} ${what}; create it with @apollo/generate-persisted-query-manifest`,
    );
  };
  const json = await readFile(path, 'utf8').catch(() => fail('cannot be read'));
  let manifest: unknown;
  try {
    manifest = JSON.parse(json);
  } catch {
    fail('is not JSON');
  }
  const { format, version, operations } = Object(manifest) as Record<string, unknown>;
  if (format !== FORMAT || version !== 1 || !Array.isArray(operations)) {
    return fail(`is not an ${FORMAT} of version 1`);
  }
  return new Map(
    operations.map((operation): [string, string] => {
      const { id, body } = Object(operation) as Record<string, unknown>;
      if (typeof id !== 'string' || typeof body !== 'string') {
        return fail('has an operation without an id or a body');
      }
      return [id, body];
    }),
  );
}
