import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

export interface PeerOptions {
  readonly rounds: number;
  readonly seconds: number;
  /** Port of the subgraphs; 0 selects a free one. */
  readonly port: number;
  /** Folder for the supergraph and for Hive Gateway. */
  readonly folder: string;
  /** Gateways that the user starts. */
  readonly others: readonly {
    readonly name: string;
    readonly url: string;
    readonly pid?: number;
  }[];
  /** Gateways of this benchmark to leave out, by the beginnings of their names. */
  readonly without: readonly string[];
}

export const USAGE = `npm run bench:peers -- [--rounds 5] [--seconds 5] [--without hive] [--folder <folder>]
  [--port 4301 --url <name>=<url>[,<pid>]]

--url      another gateway that you start over the printed supergraph, at its GraphQL address; several are
           possible. With the id of its process, its CPU time is measured.
--port     port of the subgraphs, so that the supergraph of an earlier run stays valid
--without  leaves out a gateway: this, @apollo or hive
`;

/** @throws {Error} if an option is unknown or has a wrong value */
export function readPeerOptions(args: readonly string[]): PeerOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '5' },
      port: { type: 'string', default: '0' },
      folder: { type: 'string', default: join(tmpdir(), 'gudang-bench-peers') },
      url: { type: 'string', multiple: true, default: [] },
      without: { type: 'string', multiple: true, default: [] },
    },
  });
  return {
    rounds: positive('--rounds', values.rounds),
    seconds: positive('--seconds', values.seconds),
    port: Number(values.port),
    folder: values.folder,
    others: values.url.map(readOther),
    without: values.without.map((name) => name.toLowerCase()),
  };
}

function positive(option: string, text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new Error(`${option}: ${JSON.stringify(text)} is not a number above 0`);
}

function readOther(text: string) {
  const [, name = '', url = '', pid] = /^([^=]+)=(https?:\/\/[^,]+)(?:,(\d+))?$/.exec(text) ?? [];
  if (name === '' || !URL.canParse(url)) {
    throw new Error(`--url: ${JSON.stringify(text)} is not <name>=<url> or <name>=<url>,<pid>`);
  }
  return { name, url, ...(pid === undefined ? {} : { pid: Number(pid) }) };
}
