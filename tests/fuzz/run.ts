/**
 * Sends hostile inputs. A seed determines all cases.
 * Usage: `npm run fuzz -- [system|requests|clients|slow|federation|record] [--seed N] [--cases N] [--from N]`
 *
 * - `system` (default): inputs of all kinds for a whole system; see `fuzz-system.ts`
 * - `requests`: raw requests for a gateway with a recording subgraph; see `requests/fuzz-requests.ts`
 * - `clients`: valid requests as real clients send them, of which none may be refused
 * - `slow`: clients that read slowly or leave, beside healthy clients; see `requests/slow-clients.ts`
 * - `federation`: random operations on random supergraphs, compared with graphql-js; see
 *   `federation/fuzz-federation.ts`
 * - `record`: sends nothing to a gateway; runs the real clients and writes `recorded/recorded.json`
 */
import { parseArgs } from 'node:util';
import { type Checks, createChecks } from '@gudang/testing/checks';
import { fuzzFederation } from './federation/fuzz-federation.ts';
import { fuzzSystem } from './fuzz-system.ts';
import { recordClients } from './recorded/record.ts';
import { replayClients } from './recorded/replay-clients.ts';
import { fuzzRequests } from './requests/fuzz-requests.ts';
import { fuzzSlowClients } from './requests/fuzz-slow-clients.ts';
import type { FuzzOptions } from './run-fuzz.ts';

interface Kind {
  /** Default number of cases. */
  readonly cases: number;
  readonly run: (checks: Checks, options: Required<FuzzOptions>) => Promise<void>;
}

const KINDS: Readonly<Record<string, Kind>> = {
  system: { cases: 10_000, run: fuzzSystem },
  requests: { cases: 100_000, run: fuzzRequests },
  clients: { cases: 10_000, run: replayClients },
  slow: { cases: 1_000, run: fuzzSlowClients },
  federation: { cases: 500, run: fuzzFederation },
  record: { cases: 0, run: recordClients },
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: 'string', default: '1' },
    cases: { type: 'string' },
    from: { type: 'string', default: '0' },
  },
});
const kind = KINDS[positionals[0] ?? 'system'];
if (!kind) throw new Error(`Unknown kind; choose one of ${Object.keys(KINDS).join(', ')}`);
await kind.run(createChecks(), {
  seed: Number(values.seed),
  cases: Number(values.cases ?? kind.cases),
  from: Number(values.from),
});
