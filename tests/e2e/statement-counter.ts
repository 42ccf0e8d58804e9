import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface StatementCounter {
  /** Database URL that leads through the proxy. */
  readonly url: string;
  /** Returns the SQL texts of all statements that were run since the previous call, in order. */
  readonly take: () => string[];
  readonly stop: () => Promise<void>;
}

const PARSE = 0x50;
const BIND = 0x42;
const QUERY = 0x51;

/** Starts a proxy between a service and its database. The proxy records each executed statement. */
export async function startStatementCounter(target: string): Promise<StatementCounter> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  let statements: string[] = [];

  const server = createServer((client) => {
    const database = connect(Number(port), hostname);
    const record = readStatements((sql) => statements.push(sql));
    client.on('data', record);
    client.pipe(database).pipe(client);
    for (const socket of [client, database]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        database.destroy();
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  const url = new URL(target);
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: url.href,
    take: () => {
      const taken = statements;
      statements = [];
      return taken;
    },
    stop: async () => {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
    },
  };
}

/**
 * Returns a parser for a client's messages in the PostgreSQL protocol, which reports each statement that
 * is run. All messages except the startup message begin with a type, followed by length and body. A Query
 * message contains the statement. A Bind message instead names a statement that a Parse message prepared.
 */
function readStatements(onStatement: (sql: string) => void): (chunk: Buffer) => void {
  let rest = Buffer.alloc(0);
  let started = false;
  const prepared = new Map<string, string>();

  const onMessage = (type: number, body: Buffer): void => {
    const texts = body.toString('utf8').split('\0');
    if (type === QUERY) onStatement(texts[0] ?? '');
    if (type === PARSE) prepared.set(texts[0] ?? '', texts[1] ?? '');
    if (type === BIND) onStatement(prepared.get(texts[1] ?? '') ?? '');
  };

  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    for (;;) {
      const head = started ? 1 : 0;
      if (rest.length < head + 4) return;
      const end = head + rest.readUInt32BE(head);
      if (rest.length < end) return;
      if (started) onMessage(rest[0] ?? 0, rest.subarray(5, end));
      started = true;
      rest = rest.subarray(end);
    }
  };
}
