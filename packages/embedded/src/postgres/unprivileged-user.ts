import { execFile } from 'node:child_process';
import { chown, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { StartError } from '@gudang/runtime/errors';

const run = promisify(execFile);
/** The user `nobody` on Linux. */
const NOBODY = 65_534;
const DAC_READ_SEARCH = 1n << 2n;
const SETPCAP = 1n << 8n;

export interface UnprivilegedUser {
  /** Makes this user the owner of a file or directory. */
  own(path: string): Promise<void>;
  /** Returns the command that runs `command` as this user. */
  wrap(command: string, args: string[]): { command: string; args: string[] };
}

/**
 * Finds the user for PostgreSQL: `nobody` if this process runs as root, because PostgreSQL refuses
 * to run as root; otherwise the user of this process.
 * @throws {StartError} if this process runs as root and cannot change the user
 */
export async function findUnprivilegedUser(): Promise<UnprivilegedUser> {
  if (process.getuid?.() !== 0) {
    return { own: async () => {}, wrap: (command, args) => ({ command, args }) };
  }
  await run('setpriv', ['--version']).catch(() => {
    throw new StartError(
      'PostgreSQL does not run as root, and setpriv, which starts it as another user, was not found. ' +
        'Start as an ordinary user, or set ORDER_DATABASE_URL and STOCK_DATABASE_URL to a running PostgreSQL',
    );
  });
  const prefix = setprivArguments(await readFile('/proc/self/status', 'utf8').catch(() => ''));
  return {
    own: (path) => chown(path, NOBODY, NOBODY),
    wrap: (command, args) => ({ command: 'setpriv', args: [...prefix, command, ...args] }),
  };
}

/**
 * Returns setpriv's arguments for the user `nobody`. The arguments keep root's capability to search
 * any folder, so that PostgreSQL can reach files below /root or in a folder of `mktemp -d`. The
 * securebit keeps the capability when the user changes; without the securebit, initdb's access(2)
 * to the program `postgres` beside initdb fails. In a container, root itself may lack the
 * capability. In that case, `nobody` needs access to the folders.
 */
export function setprivArguments(status: string): string[] {
  const user = ['--reuid', String(NOBODY), '--regid', String(NOBODY), '--clear-groups'];
  const held = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
  if (!(held & DAC_READ_SEARCH) || !(held & SETPCAP)) return user;
  const capability = ['--inh-caps', '+dac_read_search', '--ambient-caps', '+dac_read_search'];
  return [...user, ...capability, '--securebits', '+no_setuid_fixup'];
}
