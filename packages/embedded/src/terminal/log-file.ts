import {
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  renameSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';

const MAX_BYTES = 10_000_000;

export interface LogFile {
  write(text: string): void;
  close(): void;
}

/** Renames a log file to `<file>.1` and replaces an earlier `<file>.1`. */
export function rotate(file: string): void {
  mkdirSync(dirname(file), { recursive: true });
  if (existsSync(file)) renameSync(file, `${file}.1`);
}

/** Opens a log file that is rotated at 10 MB. */
export function openLogFile(file: string): LogFile {
  mkdirSync(dirname(file), { recursive: true });
  let descriptor = openSync(file, 'a');
  let size = fstatSync(descriptor).size;
  return {
    write(text) {
      size += writeSync(descriptor, text);
      if (size < MAX_BYTES) return;
      closeSync(descriptor);
      rotate(file);
      descriptor = openSync(file, 'a');
      size = 0;
    },
    close: () => closeSync(descriptor),
  };
}
