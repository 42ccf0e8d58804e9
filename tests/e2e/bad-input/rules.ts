/** An invalid value, with its name for failure messages. */
export type BadValue = readonly [name: string, value: unknown];

/** Limits that an argument has in addition to its type, with examples of valid and invalid values. */
export interface Rule {
  /** Valid values, at the limits where possible. */
  readonly good: readonly unknown[];
  /** Invalid values that have the right type. */
  readonly bad: readonly BadValue[] | ((cursors: Cursors) => readonly BadValue[]);
  /** Pattern of the error's `extensions.allowed`. */
  readonly allowed: RegExp;
  /** Outcome of an unknown id: `null` in the response, the error `NOT_FOUND`, or no error (`fine`). */
  readonly unknownId?: 'null' | 'NOT_FOUND' | 'fine';
}

const UUID = /[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}/;

/** Texts with characters that PostgreSQL's type `text` cannot store. */
const UNSTORABLE = [
  ['a NUL character', 'a\u0000b'],
  ['half a surrogate pair', 'a\ud800b'],
  ['the other half', '\udc00'],
] as const;

export function text(max: number, unknownId?: Rule['unknownId']): Rule {
  return {
    // The length is counted in code points, so a surrogate pair counts as one character.
    good: ['x', 'x'.repeat(max), '😀'.repeat(max), ' ', "'; --", '%_\\', '\t\n'],
    bad: [
      ['an empty string', ''],
      ['a string that is too long', 'x'.repeat(max + 1)],
      ['a string of too many astral characters', '😀'.repeat(max + 1)],
      ['a string that is far too long', 'x'.repeat(20_000)],
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

export const dateTime: Rule = {
  good: ['2026-01-31T12:00:00.000Z', '0001-01-01T00:00Z', '9999-12-31T23:59:59.999+00:00'],
  bad: [
    ['an empty string', ''],
    ['a day without a time', '2026-01-31'],
    ['no time zone', '2026-01-31T12:00:00'],
    ['a day that does not exist', '2026-02-30T12:00:00Z'],
    ['the year 0', '0000-01-01T00:00:00Z'],
    ['a year of six digits', '+010000-01-01T00:00:00Z'],
    ['a string that is far too long', `2026-01-31T12:00:00.${'0'.repeat(20_000)}Z`],
    ...UNSTORABLE,
  ],
  allowed: /a DateTime with a time zone, such as \d{4}-/,
};

/** One valid cursor from the running system for each list and for the change streams. */
export type Cursors = Readonly<
  Record<'orders' | 'stocks' | 'movements' | 'changes' | 'orderChanges', string>
>;

const encode = (plain: string): string => Buffer.from(plain).toString('base64url');
const decode = (cursor: string): string => Buffer.from(cursor, 'base64url').toString();

/** Returns the rule for a cursor of one list. The invalid values include valid cursors of other lists. */
export function cursor(list: keyof Cursors): Rule {
  return {
    good: [],
    bad: (cursors) => [
      ['an empty cursor', ''],
      ['no cursor', 'not a cursor!'],
      ['characters outside base64url', 'äöü'],
      ['a cursor too long', 'a'.repeat(2_000)],
      ['a time without an id', encode('kzj3k2a1')],
      ['an invalid time', encode('zzzzzzzzzzzz,00000000-0000-0000-0000-000000000000')],
      ['an id with a NUL character', encode('kzj3k2a1,a\u0000')],
      ['a number out of range', encode('m99999999999')],
      ['an invalid id', encode(decode(cursors.orders).replace(UUID, '-'.repeat(36)))],
      ['an invalid epoch', encode(decode(cursors.changes).replace(UUID, 'x'.repeat(36)))],
      ...UNSTORABLE,
      ...Object.entries(cursors)
        .filter(([other]) => other !== list)
        .map(([other, foreign]) => [`a cursor of ${other}`, foreign] as const),
    ],
    allowed: /a cursor/,
  };
}

/** The rule for an argument that accepts all values of its type. */
export const anyOfItsType: Rule = { good: [], bad: [], allowed: /./ };
