import pc from 'picocolors';
import { createProgress } from './progress.ts';
import type { ServiceLine } from './service-line.ts';

const WIDTH = 9;
const colors = { warn: pc.yellow, error: pc.red, fatal: pc.red };
const progress = createProgress(process.stdout);

/** The output of `npm start`. picocolors omits colours that the terminal does not support. */
export const terminal = {
  line(text = ''): void {
    progress.print(`${text}\n`);
  },
  /** Prints an event of one part: `  kafka    ready after 3.2 s`. */
  part(name: string, text: string): void {
    progress.print(`  ${pc.bold(name.padEnd(WIDTH))}${text}\n`);
  },
  /** Shows a slow step of one part until `done`. */
  step: progress.step,
  done: progress.done,
  /** Prints a line of a service's output: `  order    warn  Kafka is unavailable`. */
  serviceLine(name: string, { level, text }: ServiceLine): void {
    terminal.part(name, level ? `${colors[level](level)}  ${text}` : text);
  },
  error(text: string): void {
    progress.print('');
    process.stderr.write(`${text}\n`);
  },
};
