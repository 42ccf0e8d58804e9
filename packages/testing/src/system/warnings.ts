import type { Part } from './part.ts';

/** Of pino's levels. */
const WARN = 40;

/** What a process has warned of so far, and what it called worse. */
export function warningsOf(part: Pick<Part, 'output'>): string[] {
  return part
    .output()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as { readonly level: number; readonly msg: string })
    .filter(({ level }) => level >= WARN)
    .map(({ msg }) => msg);
}
