import { readFile } from 'node:fs/promises';
import { StartError } from '@gudang/runtime';
import { whyUnreadable, whyUnreturnable, whyUnsendable } from './reserved-headers.ts';
import { RuleReader } from './rule-reader.ts';

/** Forwards a header of the client to subgraphs. All names of rules are in lower case. */
export interface ForwardRule {
  readonly kind: 'forward';
  readonly name: string;
  /** Name of the header for the subgraph. */
  readonly as: string;
  /** Value if the client sends none. */
  readonly fallback: string | undefined;
  /** Whether a member of the payload of `connection_init` is read if the header is absent. */
  readonly readsParams: boolean;
  /** Names of the subgraphs for which the rule holds; undefined for all. */
  readonly subgraphs: readonly string[] | undefined;
}

/** Sends a header with every request to a subgraph. */
export interface InsertRule {
  readonly kind: 'insert';
  readonly as: string;
  readonly value: string;
  readonly subgraphs: readonly string[] | undefined;
}

/** Which values are returned if several answers of subgraphs have the header. */
export type Merge = 'append' | 'first' | 'last';

/** Returns a header of a subgraph's answer to the client. */
export interface ReturnRule {
  readonly name: string;
  readonly as: string;
  readonly merge: Merge;
  readonly subgraphs: readonly string[] | undefined;
}

/** Rules about the headers that pass the gateway; gateway/docs/headers.md describes their file. */
export interface HeaderRules {
  /** In order: a later rule replaces the value that an earlier one has set. */
  readonly toSubgraphs: readonly (ForwardRule | InsertRule)[];
  readonly toClients: readonly ReturnRule[];
  /** Headers of every answer to a client. */
  readonly inserted: readonly (readonly [name: string, value: string])[];
}

/**
 * Loads the rules from a JSON file.
 * @throws {StartError} with every problem of the file
 */
export async function loadHeaderRules(path: string): Promise<HeaderRules> {
  const fail = (what: string): never => {
    throw new StartError(`HEADER_RULES: ${path} ${what}`);
  };
  const json = await readFile(path, 'utf8').catch(() => fail('cannot be read'));
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    fail(`is not JSON: ${(error as Error).message}`);
  }
  const { rules, problems } = parseHeaderRules(value);
  if (problems.length > 0) fail(['cannot be used:', ...problems].join('\n- '));
  return rules;
}

/** Reads rules from parsed JSON. They must not be used if there is a problem. */
export function parseHeaderRules(value: unknown): {
  readonly rules: HeaderRules;
  readonly problems: readonly string[];
} {
  const problems: string[] = [];
  const file = new RuleReader('the file', value, problems);
  const toSubgraphs = file.list('toSubgraphs').map(readToSubgraphs);
  const toClients = file.list('toClients').map(readToClient);
  file.end();
  const rules: HeaderRules = {
    toSubgraphs,
    toClients: toClients.filter((rule) => !Array.isArray(rule)) as ReturnRule[],
    inserted: toClients.filter((rule) => Array.isArray(rule)) as [string, string][],
  };
  return { rules, problems };
}

function readToSubgraphs(rule: RuleReader): ForwardRule | InsertRule {
  if (rule.has('insert')) {
    const as = rule.header('insert', whyUnsendable);
    const read = { as, value: rule.value('value'), subgraphs: rule.subgraphs() };
    rule.end();
    return { kind: 'insert', ...read };
  }
  const name = rule.header('forward', rule.has('as') ? whyUnreadable : whyUnsendable);
  const read = {
    name,
    as: rule.has('as') ? rule.header('as', whyUnsendable) : name,
    fallback: rule.has('default') ? rule.value('default') : undefined,
    readsParams: rule.flag('connectionParams', true),
    subgraphs: rule.subgraphs(),
  };
  rule.end();
  return { kind: 'forward', ...read };
}

function readToClient(rule: RuleReader): ReturnRule | readonly [name: string, value: string] {
  if (rule.has('insert')) {
    const read = [rule.header('insert', whyUnreturnable), rule.value('value')] as const;
    rule.end();
    return read;
  }
  const name = rule.header('return', rule.has('as') ? whyUnreadable : whyUnreturnable);
  const read = {
    name,
    as: rule.has('as') ? rule.header('as', whyUnreturnable) : name,
    merge: rule.choice('merge', ['append', 'first', 'last']),
    subgraphs: rule.subgraphs(),
  };
  rule.end();
  return read;
}
