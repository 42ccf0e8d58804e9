/** A value and its name for the report. */
export type BadValue = readonly [name: string, value: unknown];

/** What an argument takes and what it refuses, beyond what its type says. */
export interface Rule {
  /** Values at its limits: none of them is bad input. */
  readonly good: readonly unknown[];
  /** Values of the right type that are refused. */
  readonly bad: readonly BadValue[] | ((cursors: Cursors) => readonly BadValue[]);
  /** What the refusal says of what is allowed. */
  readonly allowed: RegExp;
  /** Of an id that does not exist: null in its field, the error NOT_FOUND, or no matter. */
  readonly unknownId?: 'null' | 'NOT_FOUND' | 'fine';
}

const UUID = /[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}/;

/** What PostgreSQL's text cannot hold. */
const UNSTORABLE = [
  ['a NUL character', 'a\u0000b'],
  ['half a surrogate pair', 'a\ud800b'],
  ['the other half', '\udc00'],
] as const;

export function text(max: number, unknownId?: Rule['unknownId']): Rule {
  return {
    // Characters are counted as people count them: a pair of surrogates is one.
    good: ['x', 'x'.repeat(max), '😀'.repeat(max), ' ', "'; --", '%_\\', '\t\n'],
    bad: [
      ['an empty text', ''],
      ['a text too long', 'x'.repeat(max + 1)],
      ['a text too long of wide characters', '😀'.repeat(max + 1)],
      ['a text far too long', 'x'.repeat(20_000)],
      ...UNSTORABLE,
    ],
    allowed: new RegExp(`a text of 1 to ${max} characters`),
    ...(unknownId ? { unknownId } : {}),
  };
}

const grouped = new Intl.NumberFormat('en-US');
const INT = { min: -(2 ** 31), max: 2 ** 31 - 1 };

export function whole(
  min: number,
  max: number,
  more: Partial<Rule> & { readonly bad?: readonly BadValue[] } = {},
): Rule & { readonly bad: readonly BadValue[] } {
  const bad: [string, unknown][] = [];
  if (min > INT.min) bad.push(['one too small', min - 1], ['the smallest Int', INT.min]);
  if (max < INT.max) bad.push(['one too large', max + 1], ['the largest Int', INT.max]);
  return {
    good: [min, max],
    allowed: new RegExp(`from ${grouped.format(min)} to ${grouped.format(max)}`),
    ...more,
    bad: [...bad, ...(more.bad ?? [])],
  };
}

/** A cursor of each list that gives them, taken from the running system. */
export type Cursors = Readonly<Record<'orders' | 'stocks' | 'movements' | 'changes', string>>;

const encode = (plain: string): string => Buffer.from(plain).toString('base64url');
const decode = (cursor: string): string => Buffer.from(cursor, 'base64url').toString();

/** A cursor of one list: those of the others are whole and well, and refused all the same. */
export function cursor(list: keyof Cursors): Rule {
  return {
    good: [],
    bad: (cursors) => [
      ['an empty cursor', ''],
      ['no cursor', 'not a cursor!'],
      ['letters that are none', 'äöü'],
      ['a cursor too long', 'a'.repeat(2_000)],
      ['a time without a place', encode('kzj3k2a1')],
      ['a time that is none', encode('zzzzzzzzzzzz,00000000-0000-0000-0000-000000000000')],
      ['a place with a NUL character', encode('kzj3k2a1,a\u0000')],
      ['a number out of its range', encode('m99999999999')],
      ['an id that is none', encode(decode(cursors.orders).replace(UUID, '-'.repeat(36)))],
      ['an epoch that is none', encode(decode(cursors.changes).replace(UUID, 'x'.repeat(36)))],
      ...UNSTORABLE,
      ...Object.entries(cursors)
        .filter(([other]) => other !== list)
        .map(([other, foreign]) => [`a cursor of ${other}`, foreign] as const),
    ],
    allowed: /a cursor/,
  };
}

/** Only its type limits it. */
export const anyOfItsType: Rule = { good: [], bad: [], allowed: /./ };
