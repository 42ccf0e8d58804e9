import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Logger } from '@gudang/runtime';
import { findVolatileFileSystem } from './volatile-folder.ts';

/** A supergraph as it was published. */
export interface Publication {
  readonly sdl: string;
  /** Entity tag of the text at the address `from`. */
  readonly etag?: string | undefined;
  /** Address that has answered with the text. */
  readonly from: string;
}

export interface KeptCopy {
  /** Path of the file; undefined if no copy is kept. */
  readonly path: string | undefined;
  /** Returns the copy; undefined if there is none, or if it is damaged. */
  readonly read: () => Promise<(Publication & { readonly savedAt: string }) | undefined>;
  /**
   * Saves a supergraph that is in use. It never rejects: a failure is logged once. The first call also
   * warns if the folder is lost with its container.
   */
  readonly save: (publication: Publication) => Promise<void>;
}

/** First line of the file; the rest is the text. The line is a comment in GraphQL. */
interface Header {
  readonly savedAt: string;
  /** Digest of the address, because an address may contain a secret. */
  readonly from: string;
  readonly etag?: string | undefined;
  /** Digest of the text, so that a damaged file is not used. */
  readonly sha256: string;
}

const MARK = '# gudang-gateway copy ';
/** An entity tag that can be sent as a header. */
const ETAG = /^[\x21-\x7e\x80-\xff]{1,1000}$/;

const digest = (text: string): string => createHash('sha256').update(text).digest('hex');

/**
 * Keeps the last good supergraph in a file, for a start while the place of publication is
 * unavailable. Only this user can read the file. Its name depends on the addresses, so another
 * supergraph never uses it.
 * @param folder undefined: no copy is kept
 * @param addresses addresses of the supergraph
 */
export function createKeptCopy(
  folder: string | undefined,
  addresses: readonly string[],
  log: Pick<Logger, 'warn'>,
): KeptCopy {
  if (folder === undefined) {
    return { path: undefined, read: async () => undefined, save: async () => {} };
  }
  const path = join(folder, `${digest(addresses.join('\n')).slice(0, 16)}.graphql`);
  let saved: Publication | undefined;
  let isWarned = false;
  let isChecked = false;

  const write = async (publication: Publication): Promise<void> => {
    try {
      await replaceFile(path, formatCopy(publication));
      saved = publication;
      isWarned = false;
    } catch (error) {
      if (isWarned) return;
      isWarned = true;
      log.warn(
        { path, err: error },
        'The copy of the supergraph cannot be saved, so the gateway cannot start while its place of publication is unavailable; set SUPERGRAPH_COPIES to a folder that the gateway can write, or to off',
      );
    }
  };

  return {
    path,
    read: async () => {
      const text = await readFile(path, 'utf8').catch(() => undefined);
      if (text === undefined) return undefined;
      const copy = parseCopy(text, addresses);
      if (copy === undefined)
        log.warn({ path }, 'The copy of the supergraph is damaged; it is not used');
      saved = copy;
      return copy;
    },
    save: async (publication) => {
      if (!isSame(saved, publication)) await write(publication);
      if (isChecked || isWarned) return;
      isChecked = true;
      const fileSystem = await findVolatileFileSystem(folder);
      if (fileSystem === undefined) return;
      log.warn(
        { path, fileSystem },
        'The copy of the supergraph is lost with this container, and a new one cannot start while its place of publication is unavailable; mount a volume and set SUPERGRAPH_COPIES to a folder in it, or to off',
      );
    },
  };
}

function isSame(one: Publication | undefined, other: Publication): boolean {
  return one?.sdl === other.sdl && one.etag === other.etag && one.from === other.from;
}

function formatCopy({ sdl, etag, from }: Publication): string {
  const header: Header = {
    savedAt: new Date().toISOString(),
    from: digest(from),
    etag,
    sha256: digest(sdl),
  };
  return `${MARK}${JSON.stringify(header)}\n${sdl}`;
}

function parseCopy(
  text: string,
  addresses: readonly string[],
): (Publication & { readonly savedAt: string }) | undefined {
  const end = text.indexOf('\n');
  if (!text.startsWith(MARK) || end < 0) return undefined;
  try {
    const header: Header = JSON.parse(text.slice(MARK.length, end));
    const sdl = text.slice(end + 1);
    const from = addresses.find((address) => digest(address) === header.from);
    if (from === undefined || header.sha256 !== digest(sdl)) return undefined;
    const etag = ETAG.test(header.etag ?? '') ? header.etag : undefined;
    return { sdl, etag, from, savedAt: header.savedAt };
  } catch {
    return undefined;
  }
}

/**
 * Replaces a file by a rename, so that the file is complete at any time. Several gateways may share the
 * folder, and each container has the same process id.
 */
async function replaceFile(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const next = `${path}.${randomUUID()}.new`;
  try {
    await writeFile(next, text, { mode: 0o600, flush: true });
    await rename(next, path);
  } catch (error) {
    await rm(next, { force: true });
    throw error;
  }
}
