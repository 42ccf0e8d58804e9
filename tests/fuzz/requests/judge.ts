import { type Call, canonical } from './echo-graph.ts';
import type { RawResponse } from './raw-connection.ts';
import type { RawRequest } from './raw-request.ts';
import type { Expectation } from './reference-request.ts';

/** What came of a request: its refusal, or its result. */
export interface Outcome {
  readonly isRefusal: boolean;
  readonly data: unknown;
  /** Description for findings. */
  readonly shown: string;
}

export type Verdict =
  | { readonly is: 'executed' | 'refused' }
  | { readonly is: 'mismatch'; readonly what: string };

const mismatch = (what: string): Verdict => ({ is: 'mismatch', what });

/**
 * Compares what the recording subgraph received with what the reference admits.
 * @param calls the calls of this request that the subgraph received
 */
export function judge(expected: Expectation, outcome: Outcome, calls: readonly Call[]): Verdict {
  const { isRefusal, data, shown } = outcome;
  const seen = `the subgraph received ${show(calls)}; the answer was ${shown}`;
  if (expected.kind === 'refused') {
    if (calls.length > 0) return mismatch(`ran, but is invalid (${expected.why}): ${seen}`);
    if (!isRefusal) return mismatch(`was not refused, but is invalid (${expected.why}): ${seen}`);
    return { is: 'refused' };
  }
  if (isRefusal && calls.length === 0) {
    if (expected.mayRefuse !== undefined) return { is: 'refused' };
    return mismatch(`was refused, but is valid: ${seen}`);
  }
  if (isRefusal) return mismatch(`was refused after it ran: ${seen}`);
  const isSerial = expected.operation === 'mutation';
  if (keyOf(calls, isSerial) !== keyOf(expected.calls, isSerial)) {
    return mismatch(`ran differently: expected ${show(expected.calls)}, but ${seen}`);
  }
  const [wanted, got] = [canonical(expected.data), canonical(data)];
  if (wanted !== got) return mismatch(`has another result than ${wanted.slice(0, 500)}: ${seen}`);
  return { is: calls.length > 0 ? 'executed' : 'refused' };
}

function keyOf(calls: readonly Call[], isSerial: boolean): string {
  const keys = calls.map(({ field, args }) => `${field} ${args}`);
  return (isSerial ? keys : keys.sort()).join('\n');
}

function show(calls: readonly Call[]): string {
  return calls.length === 0
    ? 'nothing'
    : calls.map(({ field, args }) => `${field}${args.slice(0, 300)}`).join(', ');
}

/** Reads the outcome of a response over HTTP. @returns a text if the response is a defect by itself */
export function outcomeOf(
  { method, isBroken }: Pick<RawRequest, 'method' | 'isBroken'>,
  response: RawResponse | undefined,
): Outcome | string {
  if (!response) {
    const shown = 'the connection was closed without a response';
    return isBroken ? { isRefusal: true, data: undefined, shown } : shown;
  }
  const { status, headers, body } = response;
  const shown = `${status} ${body.slice(0, 300)}`;
  if (status >= 500 && status !== 501) return `a server error: ${shown}`;
  if (status >= 400 || method === 'OPTIONS') return { isRefusal: true, data: undefined, shown };
  const type = headers.get('content-type') ?? '';
  // Another path may be a page.
  if (type.startsWith('text/html')) return { isRefusal: true, data: undefined, shown };
  const json = jsonIn(type, body);
  if (json === undefined || json === null) return `an answer without a result: ${shown}`;
  const result = (json ?? {}) as { data?: unknown; errors?: unknown };
  // Apollo Server answers an unknown persisted query with 200, so that the answer may be cached.
  if (type.includes('json') && result.data === undefined && !body.includes('_NOT_FOUND"')) {
    return `a refusal must have a status of 4xx: ${shown}`;
  }
  return { isRefusal: result.data === undefined, data: result.data, shown };
}

function jsonIn(type: string, body: string): unknown {
  try {
    if (type.startsWith('text/event-stream')) {
      const line = body.split('\n').find((one) => one.startsWith('data: {'));
      return JSON.parse(line?.slice('data: '.length) ?? '');
    }
    if (!type.startsWith('multipart/mixed')) return JSON.parse(body);
    const parts = body.split('\r\n').filter((line) => line.startsWith('{"payload"'));
    return JSON.parse(parts[0] ?? '').payload;
  } catch {
    return undefined;
  }
}
