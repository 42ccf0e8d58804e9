/** Something was not as the demo says that it is. */
export class DemoError extends Error {}

/** @throws {DemoError} which shows what was seen instead */
export function expectThat(isSo: boolean, what: string, seen: unknown): asserts isSo {
  if (!isSo) throw new DemoError(`Not so: ${what}. Seen: ${JSON.stringify(seen)}`);
}
