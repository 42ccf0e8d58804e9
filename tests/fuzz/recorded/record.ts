import { writeFile } from 'node:fs/promises';
import type { Checks } from '@gudang/testing/checks';
import { parse } from 'graphql';
import type { OperationKind } from '../requests/generate-operation.ts';
import { startBrowserClients } from './browser-clients.ts';
import { OPERATION_NAME, REAL_CLIENTS, type RealClient, VARIABLES } from './real-clients.ts';
import { type Recorded, type RecordingServer, startRecordingServer } from './recording-server.ts';
import type { Template } from './template.ts';

export const RECORDED_FILE = new URL('recorded.json', import.meta.url);

/** Runs real clients against a recording server, and writes their requests as templates. */
export async function recordClients(checks: Checks): Promise<void> {
  const server = await startRecordingServer();
  const browser = await startBrowserClients();
  const templates: Template[] = [];
  try {
    for (const client of [...REAL_CLIENTS, ...browser.clients]) {
      for (const kind of client.kinds) {
        const made = await recordOne(server, client, kind);
        templates.push(...made);
        checks.print(`${client.name}: ${kind}, ${made.length} requests`);
      }
    }
  } finally {
    await browser.stop();
    await server.stop();
  }
  const lines = templates.map((template) => JSON.stringify(template));
  await writeFile(RECORDED_FILE, `[\n${lines.join(',\n')}\n]\n`);
}

async function recordOne(
  server: RecordingServer,
  client: RealClient,
  kind: OperationKind,
): Promise<Template[]> {
  await client.send(`http://${server.host}/graphql`, kind);
  return server
    .take()
    .map((recorded) => templateOf(recorded, { client: client.name, kind, host: server.host }));
}

function templateOf(
  { method, target, headers, body, messages }: Recorded,
  { client, kind, host }: { client: string; kind: OperationKind; host: string },
): Template {
  const search = target.includes('?') ? target.slice(target.indexOf('?') + 1) : '';
  const abstract = (value: unknown) => abstracted(value, host);
  const parameters = [...new URLSearchParams(search)].map(([name, value]): [string, unknown] => [
    name,
    abstract(name === 'variables' || name === 'extensions' ? JSON.parse(value) : value),
  ]);
  return {
    client,
    kind,
    method,
    parameters,
    isForm: search.includes('+'),
    headers: headers.map(([name, value]) => [name, headerOf(name, value, host)]),
    ...(body === '' ? {} : { body: abstract(JSON.parse(body)) }),
    ...(messages ? { messages: messages.map((message) => abstract(JSON.parse(message))) } : {}),
  };
}

const UUID = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i;

function headerOf(name: string, value: string, host: string): string {
  if (name.toLowerCase() === 'content-length') return '$length';
  return UUID.test(value) ? '$id' : value.replaceAll(host, '$host');
}

/** Replaces the parts of the recorded operation by placeholders. */
function abstracted(value: unknown, host: string): unknown {
  if (JSON.stringify(value) === JSON.stringify(VARIABLES)) return '$variables';
  if (value === OPERATION_NAME) return '$operationName';
  if (typeof value === 'string') return abstractedText(value, host);
  if (Array.isArray(value)) return value.map((one) => abstracted(one, host));
  if (typeof value !== 'object' || value === null) return value;
  const { persistedQuery } = value as Record<string, unknown>;
  if (persistedQuery)
    return { ...value, persistedQuery: { ...persistedQuery, sha256Hash: '$hash' } };
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, abstracted(inner, host)]),
  );
}

function abstractedText(text: string, host: string): string {
  if (UUID.test(text)) return '$id';
  try {
    parse(text);
    return '$query';
  } catch {
    return text.replaceAll(host, '$host');
  }
}
