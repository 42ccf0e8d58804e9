/**
 * Writes a line for each mutation before it is executed, and for each subscription before it begins. If
 * the file cannot be written, they are refused. AUDIT_LOG is the path of the file.
 */
import { appendFile } from 'node:fs/promises';

const file = process.env.AUDIT_LOG ?? './audit-log.jsonl';

/** Writes are queued, so that their lines are in order. */
let writing = Promise.resolve();

/** @param {Record<string, unknown>} entry */
function write(entry) {
  const line = `${JSON.stringify({ at: new Date().toISOString(), ...entry })}\n`;
  const written = writing.then(() => appendFile(file, line));
  writing = written.catch(() => {});
  return written;
}

/** @param {import('@gudang/gateway/plugin').PluginIdentity} identity */
const callerOf = ({ subject, scopes }) => ({ subject: subject ?? null, scopes });

/** @type {import('@gudang/gateway/plugin').GatewayPlugin} */
const auditLog = {
  name: 'audit-log',

  async requestDidStart({ contextValue: { identity, address } }) {
    return {
      async didResolveOperation({ operation, operationName }) {
        if (operation?.operation !== 'mutation') return;
        const fields = operation.selectionSet.selections.map((selection) =>
          selection.kind === 'Field' ? selection.name.value : '...',
        );
        await write({ kind: 'mutation', operationName, fields, address, ...callerOf(identity) });
      },
    };
  },

  async liveSubscribe({ field, identity }) {
    await write({ kind: 'subscribe', field, ...callerOf(identity) });
  },

  async liveEnd({ field, identity }, { reason, messages }) {
    await write({ kind: 'end', field, reason, messages, ...callerOf(identity) });
  },

  async serverWillStart() {
    return { serverWillStop: () => writing };
  },
};

export default auditLog;
