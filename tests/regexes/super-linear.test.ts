import { beforeAll, describe, expect, it } from 'vitest';
import { type BundledRegex, type DynamicRegex, findBundledRegexes } from './bundled-regexes.ts';
import { BOUNDED, NO_REQUEST_DATA } from './exceptions.ts';
import { findSuperLinear } from './super-linear.ts';

let regexes: readonly BundledRegex[];
let dynamic: readonly DynamicRegex[];
beforeAll(async () => {
  ({ regexes, dynamic } = await findBundledRegexes());
}, 60_000);

const isSlow = ({ source, flags }: BundledRegex): boolean =>
  findSuperLinear(source, flags).length > 0;

function isAccepted(library: string, { source }: BundledRegex): boolean {
  return (
    Object.hasOwn(NO_REQUEST_DATA, library) ||
    BOUNDED.some((one) => one.library === library && one.source.test(source))
  );
}

describe('the regular expressions of the built services', () => {
  it('take linear time, with the exceptions that are listed', () => {
    expect(regexes.length).toBeGreaterThan(300);
    const slow = regexes.flatMap((regex) =>
      [...regex.libraries]
        .filter((library) => !isAccepted(library, regex))
        .map((library) => ({ library, regex }))
        .filter(() => isSlow(regex))
        .map(
          ({ library, regex: { source, flags } }) =>
            `${library}: /${source}/${flags}: ${findSuperLinear(source, flags).join('; ')}`,
        ),
    );
    expect(slow).toEqual([]);
  });

  it('are literals in the code of this repository', () => {
    expect(dynamic.filter(({ library }) => library === 'gudang')).toEqual([]);
  });

  it('need every exception', () => {
    const slow = regexes.filter(isSlow);
    const libraries = new Set(slow.flatMap((regex) => [...regex.libraries]));
    expect(Object.keys(NO_REQUEST_DATA).filter((library) => !libraries.has(library))).toEqual([]);
    const unneeded = BOUNDED.filter(
      ({ library, source }) =>
        !slow.some((regex) => regex.libraries.has(library) && source.test(regex.source)),
    );
    expect(unneeded).toEqual([]);
  });
});

describe('the check', () => {
  it.each([
    [/^(a+)+$/, 'backtracking'],
    [/^\d*\w*$/, 'two quantifiers that exchange characters'],
    [/\s+$/, 'a quantifier at the start'],
    [/Did you mean(.+?)\?$/, 'a quantifier after a prefix that it can contain'],
    [/\beyJ[\w-]+\.eyJ/g, 'a token'],
    [/ at "([^"]+)": /, 'a path in a message'],
  ])('finds that %s is slow: %s', ({ source, flags }) => {
    expect(findSuperLinear(source, flags)).not.toEqual([]);
  });

  it.each([
    /^\w+ "[^"]+" argument/,
    /\r\n|[\n\r]/g,
    /(\/\/)[^\s"'/@\\]*@/g,
    /\s+/g,
    /\b(Bearer|Basic)\s+[\w.~+/=-]{8,}/gi,
    /"[^"]*"/y,
  ])('finds nothing in %s', ({ source, flags }) => {
    expect(findSuperLinear(source, flags)).toEqual([]);
  });
});
