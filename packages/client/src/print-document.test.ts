import fc from 'fast-check';
import { type DocumentNode, parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { printDocument } from './print-document.ts';

const word = fc.constantFrom('a', 'b', 'stock', 'id', 'on1', '_x');
const join = (separator: string) => (texts: readonly string[]) => texts.join(separator);
const value: fc.Arbitrary<string> = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.integer().map(String),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => n.toExponential()),
    fc.string({ unit: 'grapheme' }).map((text) => JSON.stringify(text)),
    fc.constant('"""\n  block "quoted"\n    \\d\n"""'),
    fc.constantFrom('true', 'false', 'null', 'ENUM', '$v'),
    fc.array(tie('value'), { maxLength: 3 }).map((list) => `[${list.join(' ')}]`),
    fc
      .array(fc.tuple(word, tie('value') as fc.Arbitrary<string>).map(join(': ')), { maxLength: 3 })
      .map((fields) => `{${fields.join(' ')}}`),
  ),
})).value as fc.Arbitrary<string>;
const args = fc
  .array(fc.tuple(word, value).map(join(': ')), { maxLength: 2 })
  .map((list) => (list.length > 0 ? `(${list.join(' ')})` : ''));
const directives = fc
  .array(
    fc.tuple(word, args).map(([name, given]) => `@${name}${given}`),
    { maxLength: 2 },
  )
  .map(join(' '));
const selections = fc.letrec((tie) => ({
  set: fc
    .array(tie('selection'), { minLength: 1, maxLength: 3 })
    .map((list) => `{ ${list.join(' ')} }`),
  selection: fc.oneof(
    { depthSize: 'small' },
    fc.tuple(word, args, directives).map(join(' ')),
    fc
      .tuple(word, word, args, tie('set'))
      .map(([alias, name, given, set]) => `${alias}: ${name}${given} ${set}`),
    fc.tuple(directives).map(([given]) => `...F ${given}`),
    fc
      .tuple(fc.constantFrom('', 'on T'), directives, tie('set'))
      .map(([on, given, set]) => `... ${on} ${given} ${set}`),
  ),
})).set as fc.Arbitrary<string>;
const variables = fc.constantFrom('', '($v: Int = 1 @a)', '($v: [ID!]!, $w: T = {a: [1 2]})');
const documents = fc
  .tuple(
    fc.constantFrom('query', 'mutation', 'subscription'),
    fc.constantFrom('', 'Name'),
    variables,
    directives,
    selections,
    selections,
  )
  .map(
    ([kind, name, given, applied, set, fragment]) =>
      `${kind} ${name}${given} ${applied} ${set} fragment F on T ${applied} ${fragment}`,
  );

const withoutLocations = (document: DocumentNode): unknown =>
  JSON.parse(
    JSON.stringify(document, (key, field) =>
      key === 'loc' || key === 'block' ? undefined : field,
    ),
  );

describe('printDocument', () => {
  it('prints what graphql parses into the same document', () => {
    fc.assert(
      fc.property(documents, (text) => {
        const document = parse(text);
        expect(withoutLocations(parse(printDocument(document)))).toEqual(
          withoutLocations(document),
        );
      }),
      { numRuns: 100, seed: 19 },
    );
  });

  it('passes texts, and the documents of GraphQL Code Generator', () => {
    class TypedDocumentString extends String {}
    expect(printDocument('{ a }')).toBe('{ a }');
    expect(printDocument(new TypedDocumentString('{ a }'))).toBe('{ a }');
  });
});
