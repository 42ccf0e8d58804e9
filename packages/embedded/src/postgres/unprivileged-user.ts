import { execFile } from 'node:child_process';
import { chown, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { StartError } from '../start-error.ts';

const run = promisify(execFile);
/** nobody, on every Linux. */
const NOBODY = 65_534;
const DAC_READ_SEARCH = 1n << 2n;
const SETPCAP = 1n << 8n;

export interface Unprivileged {
  /** Gives a directory to the user that the command will run as. */
  own(directory: string): Promise<void>;
  /** The command as that user. */
  wrap(command: string, args: string[]): { command: string; args: string[] };
}

/**
 * PostgreSQL refuses to run as root; then it runs as `nobody`, as itself otherwise.
 * @throws {StartError} when this is root and there is no way to become somebody else
 */
export async function unprivileged(): Promise<Unprivileged> {
  if (process.getuid?.() !== 0) {
    return { own: async () => {}, wrap: (command, args) => ({ command, args }) };
  }
  await run('setpriv', ['--version']).catch(() => {
    throw new StartError(
      'PostgreSQL does not run as root, and there is no setpriv here to start it as another user. ' +
        'Start as an ordinary user, or set ORDER_DATABASE_URL and STOCK_DATABASE_URL to a running PostgreSQL',
    );
  });
  const prefix = setprivArguments(await readFile('/proc/self/status', 'utf8').catch(() => ''));
  return {
    own: (directory) => chown(directory, NOBODY, NOBODY),
    wrap: (command, args) => ({ command: 'setpriv', args: [...prefix, command, ...args] }),
  };
}

/**
 * How to become nobody and still reach binaries and data below folders that only root may enter, such as /root or
 * what `mktemp -d` makes: by keeping the capability to search any folder. The securebit keeps it when the user changes;
 * without it access(2), by which initdb looks for its sibling `postgres`, drops the capability and fails.
 * A container may not have these capabilities; then nobody must be able to enter the folders.
 */
export function setprivArguments(status: string): string[] {
  const user = ['--reuid', String(NOBODY), '--regid', String(NOBODY), '--clear-groups'];
  const held = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
  if (!(held & DAC_READ_SEARCH) || !(held & SETPCAP)) return user;
  const capability = ['--inh-caps', '+dac_read_search', '--ambient-caps', '+dac_read_search'];
  return [...user, ...capability, '--securebits', '+no_setuid_fixup'];
}
