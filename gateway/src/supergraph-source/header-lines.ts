/** Characters of a header's name and value. @see RFC 9110, sections 5.1 and 5.5 */
const NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/i;
const VALUE = /^[\t\x20-\x7e\x80-\xff]+$/;

/** Headers that the gateway or the connection sets. */
const RESERVED = new Set([
  'accept-encoding',
  'connection',
  'content-length',
  'expect',
  'host',
  'if-modified-since',
  'if-none-match',
  'keep-alive',
  'range',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/**
 * Parses lines such as `Authorization: Bearer …`. Empty lines are ignored.
 * @returns the values by the header's name in lower case
 * @throws if a line is invalid. The message contains no value, because values are secrets
 */
export function parseHeaderLines(lines: string): ReadonlyMap<string, string> {
  const headers = new Map<string, string>();
  for (const [index, line] of lines.split(/\r?\n/).entries()) {
    if (line.trim() === '') continue;
    const at = line.indexOf(':');
    const name = line.slice(0, Math.max(at, 0)).trim().toLowerCase();
    const value = line.slice(at + 1).trim();
    if (!NAME.test(name) || !VALUE.test(value)) {
      throw new Error(
        `line ${index + 1} is no header; each line must be a header such as Authorization: Bearer …`,
      );
    }
    if (RESERVED.has(name)) throw new Error(`the header ${name} is set by the gateway itself`);
    if (headers.has(name)) throw new Error(`the header ${name} is given twice`);
    headers.set(name, value);
  }
  return headers;
}
