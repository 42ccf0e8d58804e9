import pc from 'picocolors';
import { createProgress } from './progress.ts';
import type { ServiceLine } from './service-line.ts';

const WIDTH = 9;
const colours = { warn: pc.yellow, error: pc.red, fatal: pc.red };
const progress = createProgress(process.stdout);

/** What the person who ran `npm start` sees. Colours only where the terminal shows them (picocolors asks). */
export const terminal = {
  line(text = ''): void {
    progress.above(`${text}\n`);
  },
  /** What becomes of one part: `  kafka    ready after 3.2 s`. */
  part(name: string, text: string): void {
    progress.above(`  ${pc.bold(name.padEnd(WIDTH))}${text}\n`);
  },
  /** A slow step of one part is under way, until `done`. */
  step: progress.step,
  done: progress.done,
  /** A warning or an error of one part: `  order    warn  Kafka is away`. */
  complaint(name: string, { level, text }: ServiceLine): void {
    terminal.part(name, level ? `${colours[level](level)}  ${text}` : text);
  },
  problem(text: string): void {
    progress.above('');
    process.stderr.write(`${text}\n`);
  },
};
