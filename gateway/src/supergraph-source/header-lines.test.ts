import { describe, expect, it } from 'vitest';
import { parseHeaderLines } from './header-lines.ts';

const parse = (text: string) => Object.fromEntries(parseHeaderLines(text));

describe('parseHeaderLines', () => {
  it('reads one header per line', () => {
    expect(parse('Authorization: Bearer a.b:c, d')).toEqual({ authorization: 'Bearer a.b:c, d' });
    expect(parse('X-Hive-CDN-Key: k\r\n\n A : b\n')).toEqual({ 'x-hive-cdn-key': 'k', a: 'b' });
    expect(parse('')).toEqual({});
  });

  it.each([
    ['no colon', 'hush-hush', 'line 1 is no header'],
    ['no name', 'a: b\n: hush', 'line 2 is no header'],
    ['no value', 'a:', 'line 1 is no header'],
    ['a name with a space', 'a b: hush', 'line 1 is no header'],
    ['a control character', 'a: hush\u0001', 'line 1 is no header'],
    ['a character that no header can have', 'a: hush\u20ac', 'line 1 is no header'],
    ['the same name twice', 'a: hush\nA: hush', 'the header a is given twice'],
    ['a header of the connection', 'Host: hush', 'the header host is set by the gateway itself'],
    ['a condition', 'If-None-Match: hush', 'if-none-match is set by the gateway itself'],
  ])('rejects %s without showing values', (_what, text, reason) => {
    const error = (() => {
      try {
        return parseHeaderLines(text);
      } catch (thrown) {
        return thrown;
      }
    })();
    expect(String(error)).toContain(reason);
    expect(String(error)).not.toContain('hush');
  });
});
