import type { Random } from '@gudang/testing/random';
import { anyJson } from '../values.ts';
import { anyUnicode } from './unicode.ts';

/** A document with its variables. All of its operations declare the same variables. */
export interface GeneratedOperation {
  readonly query: string;
  /** Names of the operations; an anonymous operation has none. */
  readonly names: readonly string[];
  readonly variables: Readonly<Record<string, unknown>>;
}

/** Names that caches and objects may confuse with something else. */
const NAMES = [
  'A',
  'B',
  'a',
  'A1',
  '_',
  'undefined',
  'null',
  '__proto__',
  'constructor',
  'toString',
  'query',
  'n'.repeat(300),
];
export type OperationKind = 'query' | 'mutation' | 'subscription';
const KINDS: readonly OperationKind[] = ['query', 'query', 'query', 'mutation', 'subscription'];
const SELECTIONS = [
  'marker',
  'marker text n',
  '__typename marker',
  'm: marker again(text: $t)',
  'self { marker self { text } }',
  '...E',
  '... on Echo { n } text @skip(if: $no)',
  'marker @include(if: $yes) n',
];
const FRAGMENT = 'fragment E on Echo { marker again(text: "fragment") }';

/** Arguments as the variables that they use. */
const ARGUMENTS = [
  'text: $t',
  'n: $n',
  'f: $f',
  'list: $l',
  'flag: $yes',
  'side: $s',
  'input: $i',
  'any: $a',
];
const DECLARED =
  '($m: String!, $t: String = "default", $n: Int = 3, $f: Float, $l: [String], $yes: Boolean! = true, $no: Boolean! = false, $s: Side, $i: EchoInput, $a: Any)';

/**
 * Generates a document with one to three operations of one kind or several.
 * @param marker marker of this request; each operation appends its number
 */
export function anyOperation(random: Random, marker: string): GeneratedOperation {
  const count = random.chance(0.6) ? 1 : random.between(2, 3);
  const names = random.shuffled(NAMES).slice(0, count);
  const isAnonymous = count === 1 && random.chance(0.5);
  const literal = random.chance(0.3) ? marker : undefined;
  const operations = names.map((name) => {
    const kind = random.pick(KINDS);
    return oneOperation(random, { name: isAnonymous ? '' : name, literal, kind });
  });
  const needsFragment = operations.some((text) => text.includes('...E'));
  return {
    query: [...operations, ...(needsFragment ? [FRAGMENT] : [])].join(
      random.pick(['\n', ' ', ',,', '\r\n#x\n']),
    ),
    names: isAnonymous ? [] : names,
    variables: anyVariables(random, `${marker}:variable`),
  };
}

/** Generates a document with one named operation of a kind. */
export function anyOperationOf(
  random: Random,
  marker: string,
  kind: OperationKind,
): GeneratedOperation {
  const name = random.pick(NAMES);
  const text = oneOperation(random, { name, literal: undefined, kind });
  return {
    query: text.includes('...E') ? `${text}\n${FRAGMENT}` : text,
    names: [name],
    variables: anyVariables(random, `${marker}:variable`),
  };
}

function oneOperation(
  random: Random,
  { name, literal, kind }: { name: string; literal: string | undefined; kind: OperationKind },
): string {
  const field = { query: 'echo', mutation: 'write', subscription: 'heard' }[kind];
  const allowed = ARGUMENTS.filter(
    (argument) =>
      kind === 'query' ||
      /^text/.test(argument) ||
      (kind === 'mutation' && /^input/.test(argument)) ||
      (kind === 'subscription' && /^n:/.test(argument)),
  );
  const fields = kind === 'subscription' ? 1 : random.between(1, 3);
  const roots = Array.from({ length: fields }, (_, index) => {
    const marker =
      literal === undefined ? '$m' : JSON.stringify(`${literal}:${name.slice(0, 9)}${index}`);
    const chosen = random.shuffled(allowed).slice(0, random.between(0, 3));
    const given = [`marker: ${marker}`, ...chosen.map((one) => literalOr(random, one))];
    const directive = random.chance(0.1)
      ? random.pick([' @skip(if: $no)', ' @include(if: $no)', ' @include(if: $yes)'])
      : '';
    return `f${index}: ${field}(${random.shuffled(given).join(', ')})${kind === 'subscription' ? '' : directive} { ${random.pick(SELECTIONS)} }`;
  });
  const body = `{ ${roots.join(' ')} }`;
  return `${kind} ${name}${declared(body)} ${body}`;
}

/** Declares the variables that a body and the fragment use. */
function declared(body: string): string {
  const used = DECLARED.slice(1, -1)
    .split(', ')
    .filter(
      (one) =>
        body.includes(`${one.slice(0, one.indexOf(':'))}`) &&
        new RegExp(`\\${one.slice(0, one.indexOf(':'))}\\b`).test(body),
    );
  return used.length > 0 ? `(${used.join(', ')})` : '';
}

function literalOr(random: Random, argument: string): string {
  if (random.chance(0.6)) return argument;
  const name = argument.slice(0, argument.indexOf(':'));
  const value = {
    text: () => random.pick([textLiteral(random), '"""\n  block "x"\n"""', 'null']),
    n: () => random.pick(['0', '-1', '2147483647', 'null']),
    f: () => random.pick(['1e21', '0.1', '-0.0', '5e-324', '1']),
    list: () => random.pick(['[]', '["a", null]', '"one"', '[$t]']),
    flag: () => random.pick(['true', 'false']),
    side: () => random.pick(['LEFT', 'RIGHT']),
    input: () =>
      random.pick([
        '{}',
        '{ n: 1, list: [[1], [2, null]] }',
        '{ text: $t, inner: { inner: {} } }',
        '{ list: 5 }',
      ]),
    any: () =>
      random.pick(['{ a: [1, "x", { b: null }] }', '[1.5, ENUM, true]', '"text"', '1e400']),
  }[name];
  return value ? `${name}: ${value()}` : argument;
}

/** A lone surrogate is valid in JSON, but not in a document, so few literals have one. */
function textLiteral(random: Random): string {
  const text = anyUnicode(random);
  return JSON.stringify(random.chance(0.05) ? text : text.toWellFormed());
}

function anyVariables(random: Random, marker: string): Record<string, unknown> {
  const choices: Record<string, () => unknown> = {
    t: () => random.pick([anyUnicode(random), null]),
    n: () => random.pick([1, -5, 2 ** 31 - 1, null]),
    f: () => random.pick([1, 0.1, 1e21, 5e-324, -1.5, null]),
    l: () => random.pick([[], [anyUnicode(random), null], 'one', null]),
    yes: () => random.chance(0.5),
    no: () => random.chance(0.5),
    s: () => random.pick(['LEFT', 'RIGHT', null]),
    i: () =>
      random.pick([
        {},
        { text: anyUnicode(random), n: null },
        { list: [[1, null], null], inner: { text: null } },
      ]),
    a: () => anyJson(random, 3),
    unknown: () => anyJson(random, 2),
  };
  const variables: Record<string, unknown> = { m: marker };
  for (const [name, value] of Object.entries(choices))
    if (random.chance(0.5)) variables[name] = value();
  if (random.chance(0.05)) variables['n'] = random.pick(['1', 1.5, true, {}, [1], 2 ** 31]);
  return variables;
}

/** Shapes of documents that exceed a limit. */
const HEAVY: readonly ((root: string) => string)[] = [
  (root) => `query { ${repeat(150, (index) => `a${index}: ${root} { marker }`)} }`,
  (root) => `query { ${root} { ${repeat(150, (index) => `a${index}: marker`)} } }`,
  (root) => `query { ${root} { ${'self { '.repeat(40)}marker${' }'.repeat(40)} } }`,
  (root) => `query { ${root} { marker ${repeat(60, () => '@include(if: true)')} } }`,
  (root) => `query { ${root} { ${repeat(250, () => '...E')} } } ${FRAGMENT}`,
  (root) => `query { ${root} { ${repeat(3_000, () => 'marker')} } }`,
];

/** Generates a valid document that exceeds one of the gateway's limits. */
export function heavyOperation(random: Random, marker: string): GeneratedOperation {
  const isLiteral = random.chance(0.5);
  const root = `echo(marker: ${isLiteral ? JSON.stringify(marker) : '$m'})`;
  const text = random.pick(HEAVY)(root);
  return {
    query: isLiteral ? text : text.replace('query', 'query ($m: String!)'),
    names: [],
    variables: isLiteral ? {} : { m: marker },
  };
}

function repeat(count: number, text: (index: number) => string): string {
  return Array.from({ length: count }, (_, index) => text(index)).join(' ');
}
