import type { Random } from '@gudang/testing/random';
import type { System } from '@gudang/testing/system/system';

/** What cases are sent at. */
export interface Target {
  readonly system: System;
  /** `Bearer …` of somebody who may do everything. */
  readonly authorization: string;
}

/** Sends one hostile input. @returns what is wrong with what came of it; undefined: nothing */
export type FuzzCase = (random: Random, target: Target) => Promise<string | undefined>;

/** Of nothing but the machine's inside. */
const INTERNAL =
  /\n\s+at |node_modules|\/(?:src|dist)\/|\.[tj]s:\d|prisma|pg_|ECONN|SQLSTATE|kafkajs|(?:Type|Range|Reference)Error|Cannot read prop|undefined is not|call stack/i;
const NO_CALLERS_FAULT = /"(?:INTERNAL_SERVER_ERROR|UNAVAILABLE)"|Internal error/;
/** Refused since there is too much to do: what an overload is for. */
const SHED = /"OVERLOADED"/;

/** What is wrong with an answer: it may refuse, but neither break nor tell of the inside. */
export function judgeAnswer(status: number, text: string): string | undefined {
  if (status === 503 && SHED.test(text)) return undefined;
  const start = text.slice(0, 300);
  if (status >= 500) return `status ${status}: ${start}`;
  if (NO_CALLERS_FAULT.test(text)) return `not the caller's fault: ${start}`;
  const inside = INTERNAL.exec(text);
  return inside ? `tells of the inside (${inside[0].trim()}): ${start}` : undefined;
}

/** Longer without an answer is a hang. */
export const ANSWER_WITHIN_MS = 20_000;

/** Sends a POST as it is, and judges the answer. */
export async function judgePost(
  url: string,
  body: string,
  headers: Readonly<Record<string, string>>,
): Promise<string | undefined> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
    signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
  });
  return judgeAnswer(response.status, await response.text());
}
