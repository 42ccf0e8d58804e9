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

const LARGEST_BYTES = 10_000_000;

export interface LogFile {
  write(text: string): void;
  close(): void;
}

/** Keeps the log of the start before as `<file>.1`, so that there are at most two. */
export function rotate(file: string): void {
  mkdirSync(dirname(file), { recursive: true });
  if (existsSync(file)) renameSync(file, `${file}.1`);
}

/** A log file that is rotated when it has grown to 10 MB. */
export function openLogFile(file: string): LogFile {
  mkdirSync(dirname(file), { recursive: true });
  let descriptor = openSync(file, 'a');
  let size = fstatSync(descriptor).size;
  return {
    write(text) {
      size += writeSync(descriptor, text);
      if (size < LARGEST_BYTES) return;
      closeSync(descriptor);
      rotate(file);
      descriptor = openSync(file, 'a');
      size = 0;
    },
    close: () => closeSync(descriptor),
  };
}
