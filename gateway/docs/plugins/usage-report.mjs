/**
 * Counts operations, their errors and their time, by operation and client, and the messages of live streams.
 * Writes the report when the gateway stops, and every USAGE_REPORT_S seconds (60). USAGE_REPORT is the path
 * of the file.
 */
import { rename, writeFile } from 'node:fs/promises';

const file = process.env.USAGE_REPORT ?? './usage-report.json';
const everyMs = Number(process.env.USAGE_REPORT_S ?? 60) * 1000;

/** Further operations are counted together, because clients may send any number of names. */
const MAX_ROWS = 1_000;
const rows = new Map();

/**
 * @param {import('@gudang/gateway/plugin').PluginClient | undefined} client
 * @param {string} operation
 */
function rowOf(client, operation) {
  const name = String(client?.headers['apollographql-client-name'] ?? 'unknown').slice(0, 100);
  const wanted = `${name} ${operation.slice(0, 100)}`;
  const key = rows.has(wanted) || rows.size < MAX_ROWS ? wanted : 'others';
  const row = rows.get(key) ?? { operations: 0, errors: 0, milliseconds: 0, messages: 0 };
  rows.set(key, row);
  return row;
}

async function write() {
  // A reader never sees an incomplete file.
  await writeFile(`${file}.new`, JSON.stringify(Object.fromEntries(rows), null, 2));
  await rename(`${file}.new`, file);
}

/** @type {import('@gudang/gateway/plugin').PluginModule} */
const createUsageReport = ({ log }) => ({
  name: 'usage-report',

  async serverWillStart() {
    const timer = setInterval(() => {
      write().catch((error) => log.warn({ err: error }, 'the usage report cannot be written'));
    }, everyMs);
    return {
      async serverWillStop() {
        clearInterval(timer);
        await write();
      },
    };
  },

  async requestDidStart({ contextValue: { client } }) {
    const startedAt = performance.now();
    return {
      async willSendResponse({ operation, operationName, errors = [] }) {
        const [first] = operation?.selectionSet.selections ?? [];
        const field = first?.kind === 'Field' ? first.name.value : 'invalid';
        const row = rowOf(client, operationName ?? field);
        row.operations += 1;
        row.errors += errors.length > 0 ? 1 : 0;
        row.milliseconds += performance.now() - startedAt;
      },
    };
  },

  liveEnd({ operationName, field, client }, { reason, messages, milliseconds }) {
    const row = rowOf(client, operationName ?? field);
    row.operations += 1;
    row.errors += reason === 'failed' ? 1 : 0;
    row.milliseconds += milliseconds;
    row.messages += messages;
  },
});

export default createUsageReport;
