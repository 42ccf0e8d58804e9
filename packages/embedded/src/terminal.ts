import pc from 'picocolors';
import type { ServiceLine } from './service-line.ts';

const WIDTH = 9;
const colours = { warn: pc.yellow, error: pc.red, fatal: pc.red };

/** What the person who ran `npm start` sees. Colours only where the terminal shows them (picocolors asks). */
export const terminal = {
  line(text = ''): void {
    process.stdout.write(`${text}\n`);
  },
  /** Progress of one part: `  kafka    ready after 3.2 s`. */
  part(name: string, text: string): void {
    process.stdout.write(`  ${pc.bold(name.padEnd(WIDTH))}${text}\n`);
  },
  /** A warning or an error of one part: `  order    warn  Kafka is away`. */
  complaint(name: string, { level, text }: ServiceLine): void {
    terminal.part(name, level ? `${colours[level](level)}  ${text}` : text);
  },
  problem(text: string): void {
    process.stderr.write(`${text}\n`);
  },
};
