import { readFile } from 'node:fs/promises';
import type { Checks } from '@gudang/testing/checks';
import { createRandom, type Random, seedOf } from '@gudang/testing/random';
import { parse, print } from 'graphql';
import { anyOperationOf, type GeneratedOperation } from '../requests/generate-operation.ts';
import { judge, type Outcome, outcomeOf } from '../requests/judge.ts';
import { RawConnection } from '../requests/raw-connection.ts';
import { RawSocket } from '../requests/raw-socket.ts';
import {
  type Expectation,
  expectationOf,
  interpretParameters,
} from '../requests/reference-request.ts';
import { type StartedTarget, withRequestTarget } from '../requests/request-target.ts';
import type { RequestReport, RequestRun, RequestTarget } from '../requests/run-requests.ts';
import { RECORDED_FILE } from './record.ts';
import { type Filling, fill, searchOf, type Template } from './template.ts';

const DOCUMENTED_FILE = new URL('documented.json', import.meta.url);
/** Node's servers accept heads of at most 16 KiB. */
const MAX_TARGET = 12_000;
const MAX_SHOWN = 20;

/** Reads the templates of real clients. */
export async function readTemplates(): Promise<Template[]> {
  const files = [RECORDED_FILE, DOCUMENTED_FILE].map(async (file) =>
    JSON.parse(await readFile(file, 'utf8')),
  );
  return (await Promise.all(files)).flat();
}

/** Replays the requests of real clients with many operations. None may be refused. */
export async function replayClients(checks: Checks, run: Required<RequestRun>): Promise<void> {
  const templates = await readTemplates();
  const report = await withRequestTarget('open', (target) => replay(target, templates, run));
  for (const one of report.mismatches.slice(0, MAX_SHOWN)) checks.print(`${one}\n`);
  const clients = new Set(templates.map(({ client }) => client));
  checks.verify(
    'no valid request of a real client is refused',
    report.mismatches.length === 0 && report.refused === 0,
    `${run.cases} requests of ${clients.size} clients (${templates.length} templates) with seed ${run.seed}: ${report.executed} executed, ${report.refused} refused, ${report.mismatches.length} mismatches`,
  );
}

/** Sends each template in turn, each time with another operation. */
export async function replay(
  target: RequestTarget | StartedTarget,
  templates: readonly Template[],
  { seed, cases, from = 0 }: RequestRun,
): Promise<RequestReport> {
  const connection = new RawConnection(target.port);
  const counts = { executed: 0, refused: 0 };
  const mismatches: string[] = [];
  for (let number = from; number < from + cases; number += 1) {
    const template = templates[number % templates.length] as Template;
    const random = createRandom(seedOf(seed, `client ${number}`));
    const marker = `${number}x${random.between(0x10000000, 0x7fffffff).toString(16)}`;
    const host = `127.0.0.1:${target.port}`;
    const { filling, expected } = validOperation(random, marker, template, host);
    if (isHashOnly(template)) {
      await register(connection, filling);
      target.subgraph.take(marker);
    }
    const outcome = template.messages
      ? await sendMessages(host, template, filling)
      : await sendRequest(connection, template, filling);
    const calls = target.subgraph.take(marker);
    const verdict =
      typeof outcome === 'string'
        ? ({ is: 'mismatch', what: outcome } as const)
        : judge(expected, outcome, calls);
    if (verdict.is === 'mismatch') {
      mismatches.push(`request ${number} (${template.client}, ${template.kind}): ${verdict.what}`);
    } else counts[verdict.is] += 1;
  }
  connection.close();
  return { ...counts, mismatches };
}

/** Generates operations until one is valid and fits into the template. */
function validOperation(
  random: Random,
  marker: string,
  template: Template,
  host: string,
): { filling: Filling; expected: Expectation } {
  for (;;) {
    const generated = anyOperationOf(random, marker, template.kind);
    const operation = random.chance(0.5) ? generated : printed(generated);
    const filling = { ...operation, host };
    const { query, names, variables } = operation;
    const given = { query, operationName: names[0], variables };
    const expected = expectationOf((doubts) =>
      interpretParameters(given, { persisted: new Map() }, doubts),
    );
    if (JSON.stringify(variables).includes('"__proto__"')) continue;
    if (expected.kind !== 'runs' || expected.mayRefuse || expected.calls.length === 0) continue;
    if (searchOf(template, filling).length < MAX_TARGET) return { filling, expected };
  }
}

/** Whether a template names a persisted query without sending its text. */
function isHashOnly(template: Template): boolean {
  const json = JSON.stringify(template);
  return json.includes('$hash') && !json.includes('$query');
}

/** Sends a persisted query with its text, as its client did before. */
async function register(connection: RawConnection, filling: Filling): Promise<void> {
  const persistedQuery = { version: 1, sha256Hash: '$hash' };
  const body = { query: '$query', variables: '$variables', extensions: { persistedQuery } };
  const headers = [
    ['host', '$host'],
    ['content-type', 'application/json'],
    ['content-length', '$length'],
  ] as const;
  const template = { client: 'registration', kind: 'query', method: 'POST', body } as const;
  await sendRequest(connection, { ...template, parameters: [], isForm: false, headers }, filling);
}

/** Most clients print the document that they have parsed. */
function printed(operation: GeneratedOperation): GeneratedOperation {
  try {
    return { ...operation, query: print(parse(operation.query)) };
  } catch {
    return operation;
  }
}

function sendRequest(
  connection: RawConnection,
  template: Template,
  filling: Filling,
): Promise<Outcome | string> {
  const { method, headers, body } = template;
  const bytes =
    body === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(fill(body, filling)));
  const lines = headers.map(([name, value]) => {
    const filled = value === '$length' ? bytes.length : fill(value, filling);
    return `${name}: ${filled}\r\n`;
  });
  const head = `${method} /graphql${searchOf(template, filling)} HTTP/1.1\r\n${lines.join('')}\r\n`;
  const isChunked = headers.some(([name]) => name.toLowerCase() === 'transfer-encoding');
  const framed = isChunked
    ? [Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n0\r\n\r\n')]
    : [bytes];
  return connection
    .exchange(Buffer.concat([Buffer.from(head), ...framed]))
    .then((response) => outcomeOf({ method, isBroken: false }, response));
}

/** Headers that the package ws writes itself. */
const HANDSHAKE = /^(?:host|connection|upgrade|sec-websocket-.*)$/i;

async function sendMessages(host: string, template: Template, filling: Filling): Promise<Outcome> {
  const headers = template.headers
    .filter(([name]) => !HANDSHAKE.test(name))
    .map(([name, value]): [string, string] => [name, String(fill(value, filling))]);
  const [init, ...messages] = (template.messages ?? []).map((message) =>
    JSON.stringify(fill(message, filling)),
  );
  const socket = new RawSocket(`ws://${host}/graphql`, Object.fromEntries(headers), init);
  try {
    return await socket.exchange(messages.find((one) => one.includes('"subscribe"')) ?? '');
  } finally {
    socket.close();
  }
}
