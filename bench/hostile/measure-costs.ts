import { request } from 'node:http';
import { type Checks, quantile } from '@gudang/testing/checks';
import type { ServiceProcess } from '@gudang/testing/system/service-process';
import { HOSTILE_KINDS, type HostileKind, type HostileRequest, post } from './hostile-requests.ts';
import { cpuMsOf } from './process-cpu.ts';

/** Requests of each kind: the first one is not measured, because V8 has not compiled its code yet. */
const REPEATS = 5;
/** Maximum CPU time of any request, in milliseconds. */
export const ALL_LIMIT_MS = 250;
const REFUSED_LIMIT_MS = 50;
/** Maximum size of the answer to a request that was refused, and to any request, in bytes. */
const REFUSED_LIMIT_BYTES = 64 * 1024;
export const ANSWER_LIMIT_BYTES = 4 * 1024 * 1024;

export interface Cost {
  readonly name: string;
  readonly status: number;
  readonly isRefused: boolean;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly cpuMs: number;
}

/**
 * Sends each kind of hostile request alone, without a token, and verifies its CPU time in the
 * gateway and the size of its answer.
 */
export async function measureCosts(checks: Checks, gateway: ServiceProcess): Promise<void> {
  const costs: Cost[] = [];
  for (const [name, kind] of Object.entries(HOSTILE_KINDS)) {
    costs.push(await measureKind(name, kind, gateway));
  }
  costs.sort((one, other) => other.cpuMs - one.cpuMs);
  for (const cost of costs) checks.print(rowOf(cost));
  verifyMost(
    checks,
    'CPU time of a refused request',
    costs.filter(({ isRefused }) => isRefused),
    {
      of: ({ cpuMs }) => cpuMs,
      limit: REFUSED_LIMIT_MS,
      unit: 'ms',
    },
  );
  verifyMost(checks, 'CPU time of any request', costs, {
    of: ({ cpuMs }) => cpuMs,
    limit: ALL_LIMIT_MS,
    unit: 'ms',
  });
  verifyMost(
    checks,
    'answer to a refused request',
    costs.filter(({ isRefused }) => isRefused),
    {
      of: ({ bytesOut }) => bytesOut,
      limit: REFUSED_LIMIT_BYTES,
      unit: 'bytes',
    },
  );
  verifyMost(checks, 'answer to any request', costs, {
    of: ({ bytesOut }) => bytesOut,
    limit: ANSWER_LIMIT_BYTES,
    unit: 'bytes',
  });
  const [worst] = [...costs].sort((one, other) => ratioOf(other) - ratioOf(one));
  if (worst) checks.print(`largest ratio of bytes out to bytes in: ${rowOf(worst)}`);
}

async function measureKind(
  name: string,
  kind: HostileKind,
  gateway: ServiceProcess,
): Promise<Cost> {
  const all: Cost[] = [];
  for (let number = 1; number <= REPEATS; number += 1) {
    all.push(await measure(gateway, name, kind(number)));
  }
  const [, ...measured] = all;
  const [first] = measured;
  if (!first) throw new Error('nothing was measured');
  const times = measured.map(({ cpuMs }) => cpuMs);
  return { ...first, cpuMs: quantile(times, 0.5) };
}

/** Sends an operation without a token, and returns its cost. */
export function costOf(gateway: ServiceProcess, name: string, payload: object): Promise<Cost> {
  return measure(gateway, name, post(payload));
}

async function measure(
  gateway: ServiceProcess,
  name: string,
  hostile: HostileRequest,
): Promise<Cost> {
  const before = await cpuMsOf(gateway.pid);
  const { status, bytesOut, start } = await send(gateway.port, hostile);
  const cpuMs = (await cpuMsOf(gateway.pid)) - before;
  const isRefused = isRefusal(status, start);
  return { name, status, isRefused, bytesIn: bytesOf(hostile), bytesOut, cpuMs };
}

function bytesOf({ target, headers, body, chunkBytes }: HostileRequest): number {
  const head = Object.entries(headers).map(([name, value]) => name.length + value.length + 4);
  const chunks = chunkBytes ? (body.length / chunkBytes) * 5 : 0;
  return head.reduce((sum, one) => sum + one, target.length) + Buffer.byteLength(body) + chunks;
}

/** A stream reports its refusal as an error in its first bytes. */
function isRefusal(status: number, start: string): boolean {
  return status >= 400 || (start.includes('"errors"') && !start.includes('"data"'));
}

interface Answer {
  readonly status: number;
  readonly bytesOut: number;
  /** The first bytes of the body. */
  readonly start: string;
}

function send(port: number, { method, target, headers, body, chunkBytes }: HostileRequest) {
  return new Promise<Answer>((resolve, reject) => {
    const length = chunkBytes ? {} : { 'content-length': Buffer.byteLength(body) };
    const options = { host: '127.0.0.1', port, method, path: target };
    const sent = request({ ...options, headers: { ...headers, ...length } }, (response) => {
      let bytesOut = 0;
      let start = '';
      response.on('data', (chunk: Buffer) => {
        bytesOut += chunk.length;
        if (start.length < 1_000) start += chunk.toString('utf8', 0, 1_000);
      });
      response.on('close', () => resolve({ status: response.statusCode ?? 0, bytesOut, start }));
      response.on('error', () => {});
    });
    // The gateway may answer and close the connection before it has read the whole request.
    sent.on('error', (error) =>
      sent.destroyed ? resolve({ status: 0, bytesOut: 0, start: '' }) : reject(error),
    );
    if (!chunkBytes) sent.end(body);
    else {
      sent.setNoDelay(true);
      const bytes = Buffer.from(body);
      for (let at = 0; at < bytes.length; at += chunkBytes) {
        sent.write(bytes.subarray(at, at + chunkBytes));
      }
      sent.end();
    }
  });
}

const ratioOf = ({ bytesIn, bytesOut }: Cost): number => bytesOut / bytesIn;

export function rowOf(cost: Cost): string {
  const { name, status, bytesIn, bytesOut, cpuMs } = cost;
  return `${cpuMs.toFixed(1).padStart(8)} ms CPU  ${String(bytesIn).padStart(7)} bytes in  ${String(bytesOut).padStart(10)} bytes out (× ${ratioOf(cost).toFixed(1)})  ${status}  ${name}`;
}

function verifyMost(
  checks: Checks,
  what: string,
  costs: readonly Cost[],
  { of, limit, unit }: { of: (cost: Cost) => number; limit: number; unit: string },
): void {
  const [most] = [...costs].sort((one, other) => of(other) - of(one));
  if (!most) return;
  const over = costs.filter((cost) => of(cost) > limit).length;
  checks.verify(
    `${what}: at most ${limit} ${unit}`,
    over === 0,
    `at most ${of(most).toFixed(0)} ${unit} (${most.name}); ${over} of ${costs.length} kinds exceed the limit`,
  );
}
