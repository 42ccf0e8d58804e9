const LABEL_WIDTH = 22;

/** One line: what was done, and what came of it. */
export function say(done: string, outcome: string): void {
  process.stdout.write(`${done.padEnd(LABEL_WIDTH)} ${outcome}\n`);
}

/** A value as the query language writes it: `{ id: "a", quantity: 7 }`. */
export function shown(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'nothing';
  const fields = Object.entries(value).map(([name, one]) => `${name}: ${shown(one)}`);
  return `{ ${fields.join(', ')} }`;
}
